import type { ResourceCall } from '../endpoints/resource-endpoint.ts';
import { serveAccessReview, serveSelfAccessReview } from './access-review.ts';
import { serveRulesReview } from './rules-review.ts';
import { serveSelfSubjectReview } from './self-subject-review.ts';
import { serveTokenReview } from './token-review.ts';

type ReviewHandler = (call: ResourceCall) => Promise<void>;

/** Questions in the form of objects: nothing is stored, the answer is the object with a status. By storage key. */
export const REVIEWS: Readonly<Record<string, ReviewHandler>> = {
  'tokenreviews.authentication.k8s.io': serveTokenReview,
  'selfsubjectreviews.authentication.k8s.io': serveSelfSubjectReview,
  'subjectaccessreviews.authorization.k8s.io': serveAccessReview,
  'localsubjectaccessreviews.authorization.k8s.io': serveAccessReview,
  'selfsubjectaccessreviews.authorization.k8s.io': serveSelfAccessReview,
  'selfsubjectrulesreviews.authorization.k8s.io': serveRulesReview,
};
