import type { ResourceCall } from '../endpoints/resource-endpoint.ts';
import { formatTime } from '../object/api-object.ts';
import { readReview, sendReview, userInfo } from './answer.ts';

/** Who am I? (`kubectl auth whoami`) */
export async function serveSelfSubjectReview(call: ResourceCall): Promise<void> {
  const review = await readReview(call);
  const creationTimestamp = formatTime(call.kernel.clock.nowMs());
  const metadata = { ...review.metadata, creationTimestamp };
  await sendReview(call, { ...review, metadata, spec: undefined }, { userInfo: userInfo(call.exchange.identity) });
}
