import type { Clock } from '@ballast/base';

/** Steps of a long command, each with the seconds since its start. */
export interface Progress {
  step(text: string): void;
  done(text: string): void;
}

export function createProgress(stream: Pick<NodeJS.WritableStream, 'write'>, clock: Clock): Progress {
  const startMs = clock.monotonicMs();
  const seconds = () => `${((clock.monotonicMs() - startMs) / 1000).toFixed(1).padStart(5)} s`;
  return {
    step: (text) => stream.write(`${seconds()}  ${text}\n`),
    done: (text) => stream.write(`${seconds()}  ${text}\n`),
  };
}
