import { anyObject, boolean, type Infer, kind, list, map, object, required, string } from '../../schema/index.ts';

const AUTHORIZATION = 'io.k8s.api.authorization.v1';

const resourceAttributesSchema = object(`${AUTHORIZATION}.ResourceAttributes`, 'A request for a resource.', {
  namespace: string('Namespace; all if absent.'),
  verb: string('Verb.'),
  group: string('Group.'),
  version: string('Version.'),
  resource: string('Resource.'),
  subresource: string('Subresource.'),
  name: string('Object.'),
  fieldSelector: anyObject('Field selector of the request.'),
  labelSelector: anyObject('Label selector of the request.'),
});
const nonResourceAttributesSchema = object(`${AUTHORIZATION}.NonResourceAttributes`, 'A request for another path.', {
  path: string('Path.'),
  verb: string('Verb.'),
});
const subjectAccessReviewSpecSchema = object(`${AUTHORIZATION}.SubjectAccessReviewSpec`, 'The question.', {
  resourceAttributes: resourceAttributesSchema,
  nonResourceAttributes: nonResourceAttributesSchema,
  user: string('User.'),
  groups: list(string(), 'Groups of the user.'),
  extra: map(list(string()), 'More about the user.'),
  uid: string('UID of the user.'),
});
const subjectAccessReviewStatusSchema = object(`${AUTHORIZATION}.SubjectAccessReviewStatus`, 'The answer.', {
  allowed: required(boolean('It is allowed.')),
  denied: boolean('It is forbidden, whoever else is asked.'),
  reason: string('Why.'),
  evaluationError: string('What went wrong.'),
});

export const subjectAccessReviewSchema = kind(
  `${AUTHORIZATION}.SubjectAccessReview`,
  'Asks whether a user may do something.',
  {
    spec: required(subjectAccessReviewSpecSchema),
    status: subjectAccessReviewStatusSchema,
  },
);
export interface SubjectAccessReview extends Infer<typeof subjectAccessReviewSchema> {}

export const localSubjectAccessReviewSchema = kind(
  `${AUTHORIZATION}.LocalSubjectAccessReview`,
  'Asks whether a user may do something in a namespace.',
  { spec: required(subjectAccessReviewSpecSchema), status: subjectAccessReviewStatusSchema },
);
export interface LocalSubjectAccessReview extends Infer<typeof localSubjectAccessReviewSchema> {}

export const selfSubjectAccessReviewSchema = kind(
  `${AUTHORIZATION}.SelfSubjectAccessReview`,
  'Asks whether one may do something.',
  {
    spec: required(
      object(`${AUTHORIZATION}.SelfSubjectAccessReviewSpec`, 'The question.', {
        resourceAttributes: resourceAttributesSchema,
        nonResourceAttributes: nonResourceAttributesSchema,
      }),
    ),
    status: subjectAccessReviewStatusSchema,
  },
);
export interface SelfSubjectAccessReview extends Infer<typeof selfSubjectAccessReviewSchema> {}

export const selfSubjectRulesReviewSchema = kind(`${AUTHORIZATION}.SelfSubjectRulesReview`, 'Asks what one may do.', {
  spec: required(
    object(`${AUTHORIZATION}.SelfSubjectRulesReviewSpec`, 'The question.', {
      namespace: string('In which namespace.'),
    }),
  ),
  status: object(`${AUTHORIZATION}.SubjectRulesReviewStatus`, 'The answer.', {
    resourceRules: required(
      list(
        object(`${AUTHORIZATION}.ResourceRule`, 'Something that is allowed.', {
          verbs: required(list(string())),
          apiGroups: list(string()),
          resources: list(string()),
          resourceNames: list(string()),
        }),
      ),
    ),
    nonResourceRules: required(
      list(
        object(`${AUTHORIZATION}.NonResourceRule`, 'A path that is allowed.', {
          verbs: required(list(string())),
          nonResourceURLs: list(string()),
        }),
      ),
    ),
    incomplete: required(boolean('There may be more.')),
    evaluationError: string('What went wrong.'),
  }),
});
export interface SelfSubjectRulesReview extends Infer<typeof selfSubjectRulesReviewSchema> {}
