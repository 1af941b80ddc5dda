import { BallastError } from '@ballast/base';

/** A place in a Corefile; lines count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
}

/** One thing that is wrong: what, and what to do about it. */
export interface CorefileProblem {
  readonly place: Place;
  readonly message: string;
}

/** Everything that is wrong with a Corefile at once; the message has one line `file:line: what` each, in order. */
export class CorefileError extends BallastError<'corefile-invalid'> {
  readonly problems: readonly CorefileProblem[];

  constructor(problems: readonly CorefileProblem[]) {
    const sorted = problems.toSorted((a, b) => (a.place.file === b.place.file ? a.place.line - b.place.line : 0));
    super('corefile-invalid', sorted.map(formatProblem).join('\n'));
    this.problems = sorted;
  }
}

export function formatProblem({ place, message }: CorefileProblem): string {
  return `${place.file}:${place.line}: ${message}`;
}
