import {
  type Infer,
  int32,
  intOrString,
  kind,
  list,
  object,
  oneOf,
  required,
  string,
  withDefault,
} from '../../schema/index.ts';
import { labelSelectorSchema } from '../meta/label-selector.ts';

const NETWORKING = 'io.k8s.api.networking.v1';

const ports = list(
  object(`${NETWORKING}.NetworkPolicyPort`, 'Ports that are allowed.', {
    protocol: withDefault(oneOf(['SCTP', 'TCP', 'UDP'], 'TCP, UDP or SCTP.'), 'TCP'),
    port: intOrString('The port; all if absent.'),
    endPort: int32('Last port of a range.'),
  }),
  'The ports; all if absent.',
);
const peers = list(
  object(`${NETWORKING}.NetworkPolicyPeer`, 'Who is allowed.', {
    podSelector: labelSelectorSchema,
    namespaceSelector: labelSelectorSchema,
    ipBlock: object(`${NETWORKING}.IPBlock`, 'By address.', {
      cidr: required(string('The block.')),
      except: list(string(), 'Parts that are left out.'),
    }),
  }),
  'The peers; all if absent.',
);

const networkPolicySpecSchema = object(`${NETWORKING}.NetworkPolicySpec`, 'Desired state.', {
  podSelector: labelSelectorSchema,
  ingress: list(
    object(`${NETWORKING}.NetworkPolicyIngressRule`, 'Traffic that may come in.', { ports, from: peers }),
    'What may come in.',
  ),
  egress: list(
    object(`${NETWORKING}.NetworkPolicyEgressRule`, 'Traffic that may go out.', { ports, to: peers }),
    'What may go out.',
  ),
  policyTypes: list(oneOf(['Egress', 'Ingress']), 'Directions that the policy is about.'),
});
export interface NetworkPolicySpec extends Infer<typeof networkPolicySpecSchema> {}

export const networkPolicySchema = kind(`${NETWORKING}.NetworkPolicy`, 'What traffic pods may have.', {
  spec: networkPolicySpecSchema,
});
export interface NetworkPolicy extends Infer<typeof networkPolicySchema> {}
