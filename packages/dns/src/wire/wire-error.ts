import { BallastError } from '@ballast/base';

/** What is wrong with bytes that should be DNS: the sender's fault, answered with FORMERR where there is somebody to answer. */
export type WireErrorCode = 'dns-name' | 'dns-rdata' | 'dns-message';

export function wireError(code: WireErrorCode, message: string): BallastError<WireErrorCode> {
  return new BallastError(code, message);
}
