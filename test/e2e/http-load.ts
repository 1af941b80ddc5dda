/**
 * A bounded HTTP load, run inside a network namespace as a program of its own:
 *
 *     node http-load.ts '{"url":"http://192.0.2.200/json","seconds":10}'
 *
 * Sends a request each `intervalMs` on a new connection, whether or not earlier ones were answered (an open loop: a stall shows as a
 * gap, not as fewer requests), until `seconds` have passed or SIGTERM. Prints one LoadReport as JSON.
 */
import { Agent, get } from 'node:http';

export interface LoadPlan {
  readonly url: string;
  /** Upper bound of the run; SIGTERM ends it earlier. */
  readonly seconds: number;
  /** Default 10 ms: 100 requests per second. */
  readonly intervalMs?: number;
  /** A request without an answer by then has failed. Default 2000 ms. */
  readonly timeoutMs?: number;
}

export interface LoadReport {
  readonly requests: number;
  readonly answers: number;
  /** What failed: milliseconds since the start, and why. */
  readonly failures: readonly { readonly atMs: number; readonly why: string }[];
  /** The longest time between two answers that succeeded: what a user sees of a failover. */
  readonly longestGapMs: number;
  readonly medianMs: number;
  readonly p99Ms: number;
  /** How many answers each pod and each node gave, by the `pod` and `node` fields of the JSON answers. */
  readonly byPod: Readonly<Record<string, number>>;
  readonly byNode: Readonly<Record<string, number>>;
}

const MAX_SECONDS = 180;
const MAX_IN_FLIGHT = 1000;

interface Answer {
  readonly pod?: string;
  readonly node?: string;
}

async function run(plan: LoadPlan): Promise<LoadReport> {
  const { intervalMs = 10, timeoutMs = 2000 } = plan;
  const agent = new Agent({ keepAlive: false });
  const startMs = performance.now();
  const sinceStart = () => performance.now() - startMs;
  const failures: { atMs: number; why: string }[] = [];
  const latencies: number[] = [];
  const byPod: Record<string, number> = {};
  const byNode: Record<string, number> = {};
  let requests = 0;
  let lastAnswerMs = 0;
  let longestGapMs = 0;
  let inFlight = 0;
  const idle = Promise.withResolvers<void>();
  let stopping = false;

  const request = () => {
    const sentMs = sinceStart();
    requests += 1;
    inFlight += 1;
    let settled = false;
    const settle = (why?: string) => {
      if (settled) return;
      settled = true;
      inFlight -= 1;
      if (why !== undefined) failures.push({ atMs: Math.round(sentMs), why });
      if (stopping && inFlight === 0) idle.resolve();
    };
    const outgoing = get(plan.url, { agent }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('error', (error) => settle(error.message));
      response.on('end', () => {
        if (response.statusCode !== 200) return settle(`HTTP ${response.statusCode}`);
        const nowMs = sinceStart();
        longestGapMs = Math.max(longestGapMs, nowMs - lastAnswerMs);
        lastAnswerMs = nowMs;
        latencies.push(nowMs - sentMs);
        try {
          const { pod = '?', node = '?' } = JSON.parse(body) as Answer;
          byPod[pod] = (byPod[pod] ?? 0) + 1;
          byNode[node] = (byNode[node] ?? 0) + 1;
        } catch {
          return settle(`not JSON: ${body.slice(0, 80)}`);
        }
        settle();
      });
    });
    const timer = setTimeout(() => outgoing.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    outgoing.on('close', () => clearTimeout(timer));
    outgoing.on('error', (error) => settle(error.message));
  };

  const ticker = setInterval(() => {
    if (inFlight < MAX_IN_FLIGHT) request();
  }, intervalMs);
  const ended = Promise.withResolvers<void>();
  const deadline = setTimeout(ended.resolve, Math.min(plan.seconds, MAX_SECONDS) * 1000);
  process.once('SIGTERM', ended.resolve);
  await ended.promise;
  clearTimeout(deadline);
  clearInterval(ticker);
  stopping = true;
  if (inFlight > 0) await idle.promise;

  latencies.sort((a, b) => a - b);
  const quantile = (q: number) => Math.round((latencies[Math.floor(latencies.length * q)] ?? 0) * 10) / 10;
  return {
    requests,
    answers: latencies.length,
    failures,
    longestGapMs: Math.round(Math.max(longestGapMs, sinceStart() - lastAnswerMs)),
    medianMs: quantile(0.5),
    p99Ms: quantile(0.99),
    byPod,
    byNode,
  };
}

if (import.meta.main) {
  const report = await run(JSON.parse(process.argv[2] ?? '') as LoadPlan);
  process.stdout.write(`${JSON.stringify(report)}\n`);
}
