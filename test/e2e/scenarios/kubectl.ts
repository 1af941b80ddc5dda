import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { toolPath } from '@ballast/cli';
import { stringify } from 'yaml';
import { helloDeployment, yamlOf } from '../manifests.ts';
import { eventually, type Stage } from '../stage.ts';

/** What people do with kubectl and helm all day, with the real ones. */
export function tools(stage: () => Stage): void {
  const pod = async () =>
    (await stage().kubectl('get', 'pods', '-l', 'app=hello', '-o', 'jsonpath={.items[0].metadata.name}')).trim();

  test('kubectl get shows the columns that people know', async () => {
    assert.match(
      await stage().kubectl('get', 'nodes', '-o', 'wide'),
      /^NAME +STATUS +ROLES +AGE +VERSION +INTERNAL-IP/,
    );
    assert.match(await stage().kubectl('get', 'pods'), /^NAME +READY +STATUS +RESTARTS +AGE\nhello-\S+ +1\/1 +Running/);
    assert.match(
      await stage().kubectl('get', 'service', 'hello'),
      /^NAME +TYPE +CLUSTER-IP +EXTERNAL-IP +PORT\(S\) +AGE\nhello +LoadBalancer/,
    );
    assert.match(await stage().kubectl('get', 'ipaddresspools', '-n', 'metallb-system'), /lan/);
  });

  test('kubectl describe shows conditions and events', async () => {
    assert.match(await stage().kubectl('describe', 'pod', await pod()), /Normal +Started/);
    assert.match(await stage().kubectl('describe', 'service', 'hello'), /IPAllocated/);
    assert.match(await stage().kubectl('describe', 'node', 'server'), /Ready +True/);
  });

  test('kubectl explain and api-resources know the kinds, custom ones too', async () => {
    assert.match(await stage().kubectl('explain', 'deployment.spec.strategy'), /FIELDS:/);
    assert.match(await stage().kubectl('explain', 'ipaddresspool.spec'), /addresses/);
    assert.match(await stage().kubectl('api-resources'), /bgppeers +metallb\.io\/v1beta2 +true +BGPPeer/);
  });

  test('kubectl logs follows a container', async () => {
    assert.match(await stage().kubectl('logs', await pod()), /serves on port 8080/);
    const following = stage().kubectlAnyExit(['logs', '-f', '--tail=1', await pod()], { timeoutMs: 2000 });
    await assert.rejects(following, { code: 'command-timeout' });
  });

  test('kubectl exec passes input, output and the exit code', async () => {
    const name = await pod();
    const echoed = await stage().kubectlAnyExit(['exec', '-i', name, '--', 'cat'], { input: 'through and back\n' });
    assert.equal(echoed.stdout, 'through and back\n');
    const failed = await stage().kubectlAnyExit(['exec', name, '--', 'sh', '-c', 'echo out; echo err >&2; exit 7']);
    assert.deepEqual([failed.exitCode, failed.stdout.trim(), /err/.test(failed.stderr)], [7, 'out', true]);
  });

  test('kubectl exec -it gives a terminal', async () => {
    const command = `${await toolPath('kubectl')} exec -it ${await pod()} -- sh -c 'tty && stty size'`;
    const result = await new Promise<string>((resolve, reject) => {
      const child = spawn('script', ['-qec', command, '/dev/null'], {
        stdio: ['pipe', 'pipe', 'inherit'],
        env: { ...process.env, KUBECONFIG: stage().lab.kubeconfigPath },
      });
      let said = '';
      child.stdout.on('data', (chunk: Buffer) => {
        said += chunk.toString();
      });
      child.on('error', reject);
      child.on('close', () => resolve(said));
    });
    assert.match(result, /\/dev\/pts\/\d+/);
  });

  test('kubectl port-forward carries HTTP', async () => {
    const child = spawn(await toolPath('kubectl'), ['port-forward', `pod/${await pod()}`, ':8080'], {
      env: { ...process.env, KUBECONFIG: stage().lab.kubeconfigPath },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      const port = await new Promise<string>((resolve, reject) => {
        let said = '';
        child.stdout.on('data', (chunk: Buffer) => {
          said += chunk.toString();
          const match = /127\.0\.0\.1:(\d+)/.exec(said);
          if (match?.[1]) resolve(match[1]);
        });
        child.on('exit', () => reject(new Error(`port-forward ended: ${said}`)));
      });
      for (let i = 0; i < 3; i++)
        assert.match(await (await fetch(`http://127.0.0.1:${port}/`)).text(), /Hello from pod/);
    } finally {
      child.kill();
    }
  });

  test('kubectl scale, wait, expose and rollout undo work', async () => {
    await stage().apply(yamlOf(helloDeployment({ name: 'tools', replicas: 1 })));
    await stage().kubectl('scale', 'deployment/tools', '--replicas=2');
    await stage().kubectl('wait', '--for=condition=Available', 'deployment/tools', '--timeout=60s');
    await stage().kubectl('rollout', 'status', 'deployment/tools', '--timeout=60s');
    await stage().kubectl('expose', 'deployment', 'tools', '--port=80', '--target-port=8080');
    await stage().kubectl('set', 'image', 'deployment/tools', 'hello=registry.ballast.dev/hello:2');
    await stage().kubectl('rollout', 'status', 'deployment/tools', '--timeout=60s');
    await stage().kubectl('rollout', 'undo', 'deployment/tools');
    await stage().kubectl('rollout', 'status', 'deployment/tools', '--timeout=60s');
    assert.match(await stage().kubectl('rollout', 'history', 'deployment/tools'), /2 +<none>\n3 +<none>/);
    await eventually(async () =>
      assert.match(await stage().kubectl('get', 'endpointslices', '-l', 'kubernetes.io/service-name=tools'), /8080/),
    );
    await stage().kubectl('delete', 'deployment,service', 'tools', '--wait');
    await eventually(async () =>
      assert.equal((await stage().kubectl('get', 'pods', '-l', 'app=tools', '-o', 'name')).trim(), ''),
    );
  });

  test('server-side apply reports a conflict and --force-conflicts takes over', async () => {
    const config = (value: string) =>
      yamlOf({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'shared' }, data: { key: value } });
    const apply = (manager: string, value: string, ...more: string[]) =>
      stage().kubectlAnyExit(['apply', '--server-side', `--field-manager=${manager}`, ...more, '-f', '-'], {
        input: config(value),
      });
    assert.equal((await apply('one', 'a')).exitCode, 0);
    const conflict = await apply('two', 'b');
    assert.equal(conflict.exitCode, 1);
    assert.match(conflict.stderr, /Apply failed with 1 conflict: conflict with "one": \.data\.key/);
    assert.equal((await apply('two', 'b', '--force-conflicts')).exitCode, 0);
    await stage().kubectl('delete', 'configmap', 'shared');
  });

  test('helm installs, upgrades, rolls back and uninstalls a chart', async () => {
    const chart = join(stage().lab.dir, 'chart');
    await mkdir(join(chart, 'templates'), { recursive: true });
    await writeFile(join(chart, 'Chart.yaml'), stringify({ apiVersion: 'v2', name: 'site', version: '1.0.0' }));
    await writeFile(join(chart, 'values.yaml'), stringify({ replicas: 1 }));
    const text = yamlOf(helloDeployment({ name: 'site', replicas: 1 })).replace(
      'replicas: 1',
      'replicas: {{ .Values.replicas }}',
    );
    await writeFile(join(chart, 'templates/deployment.yaml'), text);
    await stage().helm('install', 'site', chart, '--wait', '--timeout', '90s');
    await stage().helm('upgrade', 'site', chart, '--set', 'replicas=2', '--wait', '--timeout', '90s');
    assert.equal(await stage().kubectl('get', 'deployment', 'site', '-o', 'jsonpath={.status.readyReplicas}'), '2');
    await stage().helm('rollback', 'site', '1', '--wait', '--timeout', '90s');
    assert.equal(await stage().kubectl('get', 'deployment', 'site', '-o', 'jsonpath={.spec.replicas}'), '1');
    assert.match(await stage().helm('list'), /^site\s+default\s+3\s/m);
    await stage().helm('uninstall', 'site', '--wait', '--timeout', '90s');
    assert.equal((await stage().kubectl('get', 'deployments', '-o', 'name')).includes('site'), false);
  });

  test('deleting a namespace removes everything in it', async () => {
    await stage().kubectl('create', 'namespace', 'temporary');
    await stage().kubectl('create', 'configmap', 'kept', '-n', 'temporary', '--from-literal=a=b');
    await stage().kubectl('delete', 'namespace', 'temporary', '--wait', '--timeout=60s');
    const gone = await stage().kubectlAnyExit(['get', 'configmap', 'kept', '-n', 'temporary']);
    assert.match(gone.stderr, /not found/);
  });
}
