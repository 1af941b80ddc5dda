import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { helloDeployment, yamlOf } from '../manifests.ts';
import { eventually, type Stage } from '../stage.ts';
import { externalAddress } from './claims.ts';

const metallb = (kind: string, name: string, spec: object, version = 'v1beta1') => ({
  apiVersion: `metallb.io/${version}`,
  kind,
  metadata: { namespace: 'metallb-system', name },
  spec,
});

/** Wrong input says where, what and what to do, and nothing else stops working. */
export function badInput(stage: () => Stage): void {
  const refused: [what: string, manifest: object, complaint: RegExp][] = [
    [
      'an unknown field',
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' }, dato: {} },
      /unknown field "dato"/,
    ],
    [
      'a wrong type',
      { apiVersion: 'v1', kind: 'Service', metadata: { name: 'x' }, spec: { ports: [{ port: 'eighty' }] } },
      /spec\.ports\[0\]\.port|cannot unmarshal/,
    ],
    [
      'a Deployment whose selector misses its own pods',
      {
        ...helloDeployment({ name: 'x', replicas: 1 }),
        spec: {
          ...(helloDeployment({ name: 'x', replicas: 1 }) as { spec: object }).spec,
          selector: { matchLabels: { app: 'other' } },
        },
      },
      /spec\.template\.metadata\.labels: Invalid value/,
    ],
    [
      'an unknown kind',
      { apiVersion: 'v1', kind: 'Servise', metadata: { name: 'x' } },
      /no matches for kind "Servise"/,
    ],
    [
      'a node port out of range',
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'x' },
        spec: { type: 'NodePort', ports: [{ port: 80, nodePort: 80 }] },
      },
      /range of valid ports is 30000-32767/,
    ],
  ];
  for (const [what, manifest, complaint] of refused) {
    test(`${what} is refused with its place`, async () => {
      const result = await stage().kubectlAnyExit(['apply', '-f', '-'], { input: yamlOf(manifest) });
      assert.equal(result.exitCode, 1);
      assert.match(result.stderr, complaint);
    });
  }

  const reported: [what: string, object: ReturnType<typeof metallb>, complaint: RegExp][] = [
    [
      'a pool that overlaps another',
      metallb('IPAddressPool', 'overlap', { addresses: ['192.0.2.210-192.0.2.220'] }),
      /overlaps/,
    ],
    [
      'a malformed range',
      metallb('IPAddressPool', 'malformed', { addresses: ['192.0.2.300-192.0.2.310'] }),
      /192\.0\.2\.300/,
    ],
    [
      'a peer with a wrong ASN',
      metallb('BGPPeer', 'wrong-asn', { myASN: 0, peerASN: 64512, peerAddress: '192.0.2.1' }, 'v1beta2'),
      /ASN/i,
    ],
  ];
  for (const [what, object, complaint] of reported) {
    test(`${what} is refused, or reported where people look, and the rest goes on`, async () => {
      const result = await stage().kubectlAnyExit(['apply', '-f', '-'], { input: yamlOf(object) });
      if (result.exitCode !== 0) assert.match(result.stderr, complaint);
      else {
        await eventually(async () => {
          const said = await stage().kubectl(
            'describe',
            `${object.kind.toLowerCase()}.metallb.io`,
            object.metadata.name,
            '-n',
            'metallb-system',
          );
          assert.match(said, complaint);
        });
        await stage().kubectl(
          'delete',
          `${object.kind.toLowerCase()}.metallb.io`,
          object.metadata.name,
          '-n',
          'metallb-system',
        );
      }
      const address = await externalAddress(stage(), 'hello');
      assert.match((await stage().fetchFrom('client', `http://${address}/json/`)).pod, /^hello-/);
    });
  }

  test('a Corefile with an unknown directive is reported, and the old one goes on answering', async () => {
    const current = await stage().kubectl(
      'get',
      'configmap',
      'coredns',
      '-n',
      'kube-system',
      '-o',
      'jsonpath={.data.Corefile}',
    );
    const patch = (Corefile: string) =>
      stage().kubectl(
        'patch',
        'configmap',
        'coredns',
        '-n',
        'kube-system',
        '--type=merge',
        '-p',
        JSON.stringify({ data: { Corefile } }),
      );
    await patch(current.replace(/^(\s*)loop$/m, '$1loop\n$1lop'));
    try {
      const log = join(stage().lab.dir, 'server/state/logs/dns.log');
      await eventually(async () => assert.match(await readFile(log, 'utf8'), /coredns:\d+: unknown directive .*lop/));
      const answer = await stage().on(
        'server',
        'dig',
        '+short',
        '-p',
        '10053',
        '@192.0.2.11',
        'hello.default.svc.cluster.local',
      );
      assert.match(answer, /^10\.43\./);
    } finally {
      await patch(current);
    }
  });
}
