import type { ResourceCall } from '../endpoints/resource-endpoint.ts';
import { listAt, textAt } from '../object/api-object.ts';
import { readReview, sendReview, userInfo } from './answer.ts';

/** Whose token is this? Node agents and webhooks ask. */
export async function serveTokenReview(call: ResourceCall): Promise<void> {
  const { tokens } = call.kernel;
  const review = await readReview(call);
  const asked = listAt(review, 'spec', 'audiences').map(String);
  const verified = await tokens.verify(
    textAt(review, 'spec', 'token') ?? '',
    asked.length > 0 ? asked : [tokens.issuer],
  );
  const status = verified
    ? { authenticated: true, user: userInfo(verified.identity), audiences: verified.audiences }
    : { authenticated: false, error: 'the token is not valid for these audiences' };
  await sendReview(call, review, status);
}
