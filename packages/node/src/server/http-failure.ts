import { BallastError } from '@ballast/base';

/** A request that cannot be answered, with the HTTP status for it. */
export class HttpFailure extends BallastError<'http-failure'> {
  readonly statusCode: number;

  constructor(statusCode: number, message: string) {
    super('http-failure', message);
    this.statusCode = statusCode;
  }
}
