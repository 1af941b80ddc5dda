import assert from 'node:assert/strict';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { bringUp, toolPath } from '@ballast/cli';
import type { KubeClient } from '@ballast/kube';
import { type Lab, nodesOf } from '@ballast/lab';
import { type RunOptions, type RunResult, runAnyExit } from '@ballast/linux';
import type { LoadPlan, LoadReport } from './http-load.ts';

const LOAD_PROGRAM = join(import.meta.dirname, 'http-load.ts');

/** A running lab and the real tools that scenarios use on it. */
export class Stage implements AsyncDisposable {
  readonly client: KubeClient & AsyncDisposable;
  #lab: Lab;

  private constructor(lab: Lab, client: KubeClient & AsyncDisposable) {
    this.#lab = lab;
    this.client = client;
  }

  static async open(name: string): Promise<Stage> {
    const lab = await bringUp({ name, agents: 2, owner: 'npm test', hostPort: 0 });
    return new Stage(lab, await lab.client());
  }

  get lab(): Lab {
    return this.#lab;
  }

  get nodes(): string[] {
    return nodesOf(this.#lab.topology).map(({ name }) => name);
  }

  /** Takes the lab down, keeps its state, and brings it up again. */
  async restart(): Promise<void> {
    const { name } = this.#lab;
    await this.#lab.stopKeepingState();
    this.#lab = await bringUp({ name, agents: 2, owner: 'npm test', hostPort: 0 });
  }

  /** Runs real kubectl to its end, whatever its exit code. */
  async kubectlAnyExit(args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    return runAnyExit(await toolPath('kubectl'), args, { timeoutMs: 120_000, ...options, env: this.#env() });
  }

  /** Runs real kubectl and returns what it printed; a failure fails the test with what it said. */
  async kubectl(...args: string[]): Promise<string> {
    return this.#output('kubectl', args, await this.kubectlAnyExit(args));
  }

  async apply(manifest: string): Promise<string> {
    const args = ['apply', '-f', '-'];
    return this.#output('kubectl', args, await this.kubectlAnyExit(args, { input: manifest }));
  }

  async helm(...args: string[]): Promise<string> {
    const result = await runAnyExit(await toolPath('helm'), args, { timeoutMs: 120_000, env: this.#env() });
    return this.#output('helm', args, result);
  }

  /** Runs a program on a machine of the lab and returns what it printed. */
  async on(machine: string, ...argv: string[]): Promise<string> {
    return this.#output(
      `${machine}: ${argv[0]}`,
      argv.slice(1),
      await this.#lab.exec(machine, argv, { timeoutMs: 60_000 }),
    );
  }

  /** Fetches a URL once from a machine; the JSON that the sample app answers. */
  async fetchFrom(machine: string, url: string): Promise<HelloAnswer> {
    const text = await this.on(machine, 'curl', '--silent', '--show-error', '--fail', '--max-time', '5', url);
    return JSON.parse(text) as HelloAnswer;
  }

  /** Starts an HTTP load on the LAN client; `stop` ends it and resolves with its report. */
  loadFromClient(plan: LoadPlan): { stop(): Promise<LoadReport> } {
    const running = this.#lab.exec('client', [process.execPath, LOAD_PROGRAM, JSON.stringify(plan)]);
    // Its failure is reported by stop(); until then it must not count as unhandled.
    running.catch(() => {});
    return {
      stop: async () => {
        await this.#lab.exec('client', ['pkill', '-TERM', '-f', LOAD_PROGRAM]);
        const result = await running;
        assert.equal(result.exitCode, 0, result.stderr);
        return JSON.parse(result.stdout) as LoadReport;
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client[Symbol.asyncDispose]();
    await this.#lab[Symbol.asyncDispose]();
  }

  #env(): NodeJS.ProcessEnv {
    const home = join(this.#lab.dir, 'home');
    return {
      PATH: process.env.PATH,
      HOME: home,
      KUBECONFIG: this.#lab.kubeconfigPath,
      HELM_CACHE_HOME: join(home, 'helm'),
    };
  }

  #output(program: string, args: readonly string[], result: RunResult): string {
    assert.equal(result.exitCode, 0, `${program} ${args.join(' ')}\n${result.stderr}${result.stdout}`);
    return result.stdout;
  }
}

/** What the sample app says. */
export interface HelloAnswer {
  readonly pod: string;
  readonly namespace: string;
  readonly node: string;
  readonly podIP: string;
  readonly client: string;
  readonly version: string;
}

/** Asks again, 10 times a second, until `check` passes; fails with its last complaint after `seconds`. */
export async function eventually<T>(check: () => Promise<T>, seconds = 60): Promise<T> {
  const deadline = performance.now() + seconds * 1000;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await sleep(100);
    }
  }
}

export { sleep };
