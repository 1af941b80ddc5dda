import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasCode } from '@ballast/base';
import { parseHierarchies } from './control-groups.ts';
import { lossRules, portOf } from './lan.ts';
import { sampleApp } from './lan-manifests.ts';
import { machineNamed, planTopology } from './topology.ts';

test('machines have fixed addresses, and hardware addresses that tell them', () => {
  const { machines } = planTopology({ lab: 'demo', agents: 2 });
  assert.deepEqual(
    machines.map(({ name, address, mac }) => [name, address, mac]),
    [
      ['switch', undefined, undefined],
      ['router', '192.0.2.1', '02:ba:11:a5:00:01'],
      ['client', '192.0.2.9', '02:ba:11:a5:00:09'],
      ['server', '192.0.2.11', '02:ba:11:a5:00:0b'],
      ['agent-1', '192.0.2.12', '02:ba:11:a5:00:0c'],
      ['agent-2', '192.0.2.13', '02:ba:11:a5:00:0d'],
    ],
  );
});

test('names that cannot be part of a path or an interface are refused', () => {
  for (const lab of ['', 'Demo', '../etc', 'a b', '-a', 'a'.repeat(17)]) {
    assert.throws(
      () => planTopology({ lab, agents: 1 }),
      (error) => hasCode(error, 'lab-name'),
    );
  }
  assert.throws(
    () => planTopology({ lab: 'demo', agents: -1 }),
    (error) => hasCode(error, 'lab-size'),
  );
  assert.throws(
    () => planTopology({ lab: 'demo', agents: 1.5 }),
    (error) => hasCode(error, 'lab-size'),
  );
});

test('an unknown machine is answered with those there are', () => {
  const topology = planTopology({ lab: 'demo', agents: 1 });
  assert.throws(
    () => machineNamed(topology, 'node-1'),
    /no machine "node-1"; there are switch, router, client, server, agent-1/,
  );
});

test('every switch port has a name that fits an interface', () => {
  const { machines } = planTopology({ lab: 'demo', agents: 100 });
  const ports = machines.map(({ name }) => portOf(name));
  assert.equal(new Set(ports).size, ports.length);
  assert.ok(ports.every((port) => port.length <= 15));
});

test('loss is a rule per direction, and no rule at all at nought', () => {
  assert.equal(
    lossRules('agent-1', 12.5),
    `add table bridge loss_agent_1
delete table bridge loss_agent_1
table bridge loss_agent_1 {
  chain forward {
    type filter hook forward priority 0; policy accept;
    iifname "p-agent-1" numgen random mod 10000 < 1250 drop
    oifname "p-agent-1" numgen random mod 10000 < 1250 drop
  }
}
`,
  );
  assert.equal(lossRules('agent-1', 0), 'add table bridge loss_agent_1\ndelete table bridge loss_agent_1\n');
  assert.match(lossRules('agent-1', 100), /iifname "p-agent-1" drop/);
});

test('mounted hierarchies are found in the hybrid layout, each once', () => {
  const text = `25 24 0:22 / /sys/fs/cgroup rw shared:9 - tmpfs tmpfs rw
26 25 0:23 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
27 25 0:24 / /sys/fs/cgroup/unified rw shared:3 - cgroup2 cgroup2 rw
28 25 0:24 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
`;
  assert.deepEqual(parseHierarchies(text), ['/sys/fs/cgroup/memory', '/sys/fs/cgroup/unified']);
});

test('the sample application carries one label from Deployment to Service', () => {
  const [deployment, service] = sampleApp({ image: 'x:1' }).manifests;
  assert.ok(deployment && service);
  assert.deepEqual((service.spec as { selector: object }).selector, deployment.metadata.labels);
});
