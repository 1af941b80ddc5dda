import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SERVICES } from '@ballast/kube';
import { helloService, yamlOf } from '../manifests.ts';
import { eventually, type HelloAnswer, type Stage } from '../stage.ts';
import { externalAddress } from './claims.ts';

const CLIENT = '192.0.2.9';

/** All four types of Service and their policies, with packets. Needs the sample app of `claims`. */
export function services(stage: () => Stage): void {
  const manyAnswers = async (url: string, count: number): Promise<HelloAnswer[]> => {
    const answers: HelloAnswer[] = [];
    for (let i = 0; i < count; i++) answers.push(await stage().fetchFrom('client', url));
    return answers;
  };

  test('NodePort: every node answers on the port', async () => {
    await stage().apply(yamlOf(helloService({ name: 'node-port', app: 'hello', spec: { type: 'NodePort' } })));
    const service = await stage().client.get(SERVICES, { namespace: 'default', name: 'node-port' });
    const port = service.spec?.ports?.[0]?.nodePort;
    for (const node of ['192.0.2.11', '192.0.2.12', '192.0.2.13']) {
      await eventually(async () =>
        assert.match((await stage().fetchFrom('client', `http://${node}:${port}/json/`)).pod, /^hello-/),
      );
    }
  });

  test('LoadBalancer with externalTrafficPolicy Local: the pod sees the client’s own address', async () => {
    await stage().apply(
      yamlOf(
        helloService({ name: 'local', app: 'hello', spec: { type: 'LoadBalancer', externalTrafficPolicy: 'Local' } }),
      ),
    );
    const address = await externalAddress(stage(), 'local');
    const answer = await eventually(() => stage().fetchFrom('client', `http://${address}/json/`));
    assert.equal(answer.client, CLIENT);
  });

  test('ClientIP affinity: one client stays with one pod', async () => {
    await stage().apply(
      yamlOf(
        helloService({ name: 'sticky', app: 'hello', spec: { type: 'LoadBalancer', sessionAffinity: 'ClientIP' } }),
      ),
    );
    const address = await externalAddress(stage(), 'sticky');
    await eventually(() => stage().fetchFrom('client', `http://${address}/json/`));
    const answers = await manyAnswers(`http://${address}/json/`, 12);
    assert.equal(new Set(answers.map(({ pod }) => pod)).size, 1);
  });

  test('a Service without endpoints refuses at once', async () => {
    await stage().apply(yamlOf(helloService({ name: 'empty', app: 'nothing', spec: { type: 'LoadBalancer' } })));
    const address = await externalAddress(stage(), 'empty');
    await eventually(async () => {
      const result = await stage().lab.exec('client', [
        'curl',
        '--silent',
        '--show-error',
        '--max-time',
        '5',
        `http://${address}/`,
      ]);
      assert.equal(result.exitCode, 7, `curl should be refused, said: ${result.stderr}`);
    });
  });

  test('ExternalName: DNS answers with the other name', async () => {
    await stage().apply(
      yamlOf({
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'elsewhere' },
        spec: { type: 'ExternalName', externalName: 'hello.default.svc.cluster.local' },
      }),
    );
    const pod = (await stage().kubectl('get', 'pods', '-l', 'app=hello', '-o', 'name')).split('\n')[0] ?? '';
    await eventually(async () => {
      assert.match(
        await stage().kubectl('exec', pod, '--', 'wget', '-q', '-O', '-', 'http://elsewhere/'),
        /^Hello from pod/,
      );
    });
  });

  test('headless: DNS answers with the addresses of the pods', async () => {
    await stage().apply(yamlOf(helloService({ name: 'headless', app: 'hello', spec: { clusterIP: 'None' } })));
    const pods = JSON.parse(await stage().kubectl('get', 'pods', '-l', 'app=hello', '-o', 'json')) as {
      items: { status: { podIP: string } }[];
    };
    const expected = pods.items.map(({ status }) => status.podIP).sort();
    await eventually(async () => {
      const answer = await stage().on(
        'server',
        'dig',
        '+short',
        '-p',
        '10053',
        '@192.0.2.11',
        'headless.default.svc.cluster.local',
      );
      assert.deepEqual(answer.trim().split('\n').sort(), expected);
    });
  });

  test('a wished address is given, and given back with the Service', async () => {
    const wished = { 'metallb.io/loadBalancerIPs': '192.0.2.240' };
    await stage().apply(
      yamlOf(helloService({ name: 'wish', app: 'hello', annotations: wished, spec: { type: 'LoadBalancer' } })),
    );
    assert.equal(await externalAddress(stage(), 'wish'), '192.0.2.240');
    await stage().kubectl(
      'delete',
      'service',
      'node-port',
      'local',
      'sticky',
      'empty',
      'elsewhere',
      'headless',
      'wish',
    );
    await stage().apply(
      yamlOf(helloService({ name: 'wish-2', app: 'hello', annotations: wished, spec: { type: 'LoadBalancer' } })),
    );
    assert.equal(await externalAddress(stage(), 'wish-2'), '192.0.2.240');
    await stage().kubectl('delete', 'service', 'wish-2');
  });
}
