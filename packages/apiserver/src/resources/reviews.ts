import { defineResource, type ResourceDefinition } from './definition.ts';

/** Questions in the form of objects: nothing is stored, the answer is the object with a status. See reviews/. */
export const reviewResources: readonly ResourceDefinition[] = (
  [
    ['authentication.k8s.io', 'tokenreviews', 'TokenReview', false],
    ['authentication.k8s.io', 'selfsubjectreviews', 'SelfSubjectReview', false],
    ['authorization.k8s.io', 'subjectaccessreviews', 'SubjectAccessReview', false],
    ['authorization.k8s.io', 'selfsubjectaccessreviews', 'SelfSubjectAccessReview', false],
    ['authorization.k8s.io', 'selfsubjectrulesreviews', 'SelfSubjectRulesReview', false],
    ['authorization.k8s.io', 'localsubjectaccessreviews', 'LocalSubjectAccessReview', true],
  ] as const
).map(([group, plural, kind, namespaced]) =>
  defineResource({ group, version: 'v1', plural, kind, namespaced, verbs: ['create'] }),
);
