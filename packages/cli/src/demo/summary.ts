import { formatTable } from '@ballast/base';
import type { BgpRoute, HttpAnswer } from './proofs.ts';

export interface DemoFacts {
  readonly lab: string;
  readonly seconds: number;
  readonly nodes: readonly { readonly name: string; readonly address: string; readonly ready: boolean }[];
  readonly service: { readonly name: string; readonly address: string; readonly clusterIP: string };
  readonly answers: readonly HttpAnswer[];
  readonly neighbour: { readonly mac: string; readonly machine: string };
  readonly route: BgpRoute;
  readonly dns: { readonly server: string; readonly name: string; readonly answers: readonly string[] };
  readonly kubeconfig: string;
  /** How the ballast command is called from here. */
  readonly command: string;
}

/** The closing page of the demo: what was proved, and what to try next. */
export function formatSummary(facts: DemoFacts): string {
  const { service, answers, neighbour, route, dns, command } = facts;
  const byPod = Map.groupBy(answers, (answer) => answer.pod);
  const pods = [...byPod].sort(([a], [b]) => a.localeCompare(b));
  const fact = (title: string, ...lines: readonly string[]) => lines.map((line, i) => [i === 0 ? title : '', line]);
  const rows = [
    ...fact(
      'Nodes',
      ...facts.nodes.map((n) => `${n.name.padEnd(10)}${n.address.padEnd(14)}${n.ready ? 'Ready' : 'NotReady'}`),
    ),
    ...fact('Service', `${service.name}, type LoadBalancer: ${service.address} (inside: ${service.clusterIP})`),
    ...fact(
      'HTTP by ARP',
      `${answers.length} requests of the LAN client, ${answers.length} answers:`,
      ...pods.map(([pod, its]) => `  ${String(its.length).padStart(2)} × ${pod} on ${its[0]?.node ?? '?'}`),
      `${service.address} is at ${neighbour.mac}, which is ${neighbour.machine}`,
    ),
    ...fact(
      'Route by BGP',
      `FRR on the router has ${route.prefix} by ${route.nextHops.length} equal-cost next hops:`,
      ...route.nextHops.map(({ address, machine }) => `  ${address} (${machine})`),
    ),
    ...fact('DNS', `dig @${dns.server} ${dns.name}  →  ${dns.answers.join(' ')}`),
    ...fact('Kubeconfig', facts.kubeconfig),
  ];
  const next = [
    [`${command} kubectl get pods -A -o wide`, 'the real kubectl, on this cluster'],
    [`${command} lab exec client -- curl -s ${service.address}`, 'a request from the LAN'],
    [`${command} lab fault kill ${neighbour.machine}`, 'a power cut where the address is announced; "start" ends it'],
  ];
  return `
Lab "${facts.lab}" is up: ${facts.seconds.toFixed(1)} s

${indent(formatTable(rows))}

Try next, from another terminal:

${indent(formatTable(next))}

Ctrl-C takes everything down without a trace.
`;
}

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, '  ');
}
