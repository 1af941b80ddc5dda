import type { ResourceCall } from '../endpoints/resource-endpoint.ts';
import { authorize } from '../identity/authorize.ts';
import { readReview, sendReview } from './answer.ts';

const SELF_RULES = [
  {
    verbs: ['create'],
    apiGroups: ['authorization.k8s.io'],
    resources: ['selfsubjectaccessreviews', 'selfsubjectrulesreviews'],
  },
  { verbs: ['create'], apiGroups: ['authentication.k8s.io'], resources: ['selfsubjectreviews'] },
];
const SELF_PATHS = [
  {
    verbs: ['get'],
    nonResourceURLs: [
      '/api',
      '/api/*',
      '/apis',
      '/apis/*',
      '/healthz',
      '/livez',
      '/openapi',
      '/openapi/*',
      '/readyz',
      '/version',
    ],
  },
];

/** What may I do at all? (`kubectl auth can-i --list`) */
export async function serveRulesReview(call: ResourceCall): Promise<void> {
  const review = await readReview(call);
  const anything = authorize(call.exchange.identity, {
    kind: 'resource',
    verb: '*',
    resource: { group: '*', plural: '*' },
    subresource: '',
    namespace: '',
    name: '',
  }).allowed;
  const status = anything
    ? {
        resourceRules: [...SELF_RULES, { verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
        nonResourceRules: [...SELF_PATHS, { verbs: ['*'], nonResourceURLs: ['*'] }],
      }
    : { resourceRules: SELF_RULES, nonResourceRules: SELF_PATHS };
  await sendReview(call, review, { ...status, incomplete: false });
}
