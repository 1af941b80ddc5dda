import { BallastError, messageOf } from '@ballast/base';
import type { Message, Question } from '../../wire/message.ts';

export type ExchangeErrorCode = 'upstream-timeout' | 'upstream-unreachable';

/** One way to get a query answered by a server. */
export interface Exchange {
  /** Sends the query under an id of its own; rejects with an ExchangeErrorCode. */
  ask(query: Message, timeoutMs: number): Promise<Message>;
  close(): void;
}

export function unreachable(why: unknown): BallastError<ExchangeErrorCode> {
  return new BallastError('upstream-unreachable', messageOf(why), { cause: why });
}

/** A query that waits for its answer. */
interface Waiting {
  readonly question: Question | undefined;
  readonly resolve: (message: Message) => void;
  readonly reject: (error: unknown) => void;
  readonly timer: NodeJS.Timeout;
}

/**
 * Queries under way on one socket, by message id. Ids are random (RFC 5452, section 9.2), and an answer counts only when it is also for
 * the question that was asked; anything else is ignored, as it may be forged.
 */
export class WaitingQueries {
  readonly #waiting = new Map<number, Waiting>();
  readonly #randomId: () => number;

  constructor(randomId: () => number) {
    this.#randomId = randomId;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** Waits for the answer to `question`; `send` gets the id to send it under. */
  wait(question: Question | undefined, timeoutMs: number, send: (id: number) => void): Promise<Message> {
    let id = this.#randomId();
    while (this.#waiting.has(id)) id = this.#randomId();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(new BallastError('upstream-timeout', `no answer within ${timeoutMs} ms`));
      }, timeoutMs);
      this.#waiting.set(id, { question, resolve, reject, timer });
      try {
        send(id);
      } catch (error) {
        this.#settle(id)?.reject(error);
      }
    });
  }

  /** True when the message was waited for. */
  answered(message: Message): boolean {
    const waiting = this.#waiting.get(message.id);
    if (!message.response || !waiting || !isSameQuestion(waiting.question, message.questions[0])) return false;
    this.#settle(message.id)?.resolve(message);
    return true;
  }

  failAll(error: Error): void {
    for (const id of [...this.#waiting.keys()]) this.#settle(id)?.reject(error);
  }

  #settle(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    if (waiting) clearTimeout(waiting.timer);
    this.#waiting.delete(id);
    return waiting;
  }
}

function isSameQuestion(a: Question | undefined, b: Question | undefined): boolean {
  if (!a || !b) return false;
  return a.type === b.type && a.class === b.class && a.name.toLowerCase() === b.name.toLowerCase();
}
