import {
  boolean,
  type Infer,
  int64,
  kind,
  list,
  map,
  object,
  required,
  string,
  time,
  withDefault,
} from '../../schema/index.ts';

const AUTHENTICATION = 'io.k8s.api.authentication.v1';

export const userInfoSchema = object(`${AUTHENTICATION}.UserInfo`, 'Somebody.', {
  username: string('Name.'),
  uid: string('Unique in time.'),
  groups: list(string(), 'Groups.'),
  extra: map(list(string()), 'Whatever the authenticator adds.'),
});
export interface UserInfo extends Infer<typeof userInfoSchema> {}

export const tokenRequestSchema = kind(`${AUTHENTICATION}.TokenRequest`, 'Asks for a token of a ServiceAccount.', {
  spec: required(
    object(`${AUTHENTICATION}.TokenRequestSpec`, 'The wanted token.', {
      audiences: list(string(), 'Who accepts it.'),
      expirationSeconds: withDefault(int64('Wanted lifetime.'), 3600),
      boundObjectRef: object(`${AUTHENTICATION}.BoundObjectReference`, 'The token ends with this object.', {
        kind: string('Kind.'),
        apiVersion: string('API version.'),
        name: string('Name.'),
        uid: string('UID.'),
      }),
    }),
  ),
  status: object(`${AUTHENTICATION}.TokenRequestStatus`, 'The token.', {
    token: required(string('The token itself.')),
    expirationTimestamp: required(time('When it expires.')),
  }),
});
export interface TokenRequest extends Infer<typeof tokenRequestSchema> {}

export const tokenReviewSchema = kind(`${AUTHENTICATION}.TokenReview`, 'Asks whose token it is.', {
  spec: required(
    object(`${AUTHENTICATION}.TokenReviewSpec`, 'The question.', {
      token: string('The token.'),
      audiences: list(string(), 'Who asks.'),
    }),
  ),
  status: object(`${AUTHENTICATION}.TokenReviewStatus`, 'The answer.', {
    authenticated: boolean('The token is good.'),
    user: userInfoSchema,
    audiences: list(string(), 'Who it is for.'),
    error: string('Why it could not be checked.'),
  }),
});
export interface TokenReview extends Infer<typeof tokenReviewSchema> {}

export const selfSubjectReviewSchema = kind(`${AUTHENTICATION}.SelfSubjectReview`, 'Asks who one is.', {
  status: object(`${AUTHENTICATION}.SelfSubjectReviewStatus`, 'The answer.', { userInfo: userInfoSchema }),
});
export interface SelfSubjectReview extends Infer<typeof selfSubjectReviewSchema> {}
