import { atomic, type Infer, int32, kind, list, object, oneOf, required, string } from '../../schema/index.ts';
import { typedLocalObjectReferenceSchema } from '../core/reference.ts';

const NETWORKING = 'io.k8s.api.networking.v1';

const ingressBackendSchema = object(`${NETWORKING}.IngressBackend`, 'Where requests go.', {
  service: object(`${NETWORKING}.IngressServiceBackend`, 'A Service.', {
    name: required(string('Its name.')),
    port: atomic(
      object(`${NETWORKING}.ServiceBackendPort`, 'Its port.', {
        name: string('By name.'),
        number: int32('By number.'),
      }),
    ),
  }),
  resource: typedLocalObjectReferenceSchema,
});

const ingressRuleSchema = object(`${NETWORKING}.IngressRule`, 'Requests for one host.', {
  host: string('The host; all if absent.'),
  http: object(`${NETWORKING}.HTTPIngressRuleValue`, 'By path.', {
    paths: required(
      list(
        object(`${NETWORKING}.HTTPIngressPath`, 'One path.', {
          path: string('The path.'),
          pathType: required(oneOf(['Exact', 'ImplementationSpecific', 'Prefix'], 'How it matches.')),
          backend: required(ingressBackendSchema),
        }),
        'The paths.',
      ),
    ),
  }),
});

export const ingressSchema = kind(`${NETWORKING}.Ingress`, 'HTTP routes into the cluster.', {
  spec: object(`${NETWORKING}.IngressSpec`, 'Desired state.', {
    ingressClassName: string('Which controller.'),
    defaultBackend: ingressBackendSchema,
    tls: list(
      object(`${NETWORKING}.IngressTLS`, 'A certificate.', {
        hosts: list(string(), 'Its hosts.'),
        secretName: string('The Secret that has it.'),
      }),
      'Certificates.',
    ),
    rules: list(ingressRuleSchema, 'The routes.'),
  }),
  status: object(`${NETWORKING}.IngressStatus`, 'Observed state.', {
    loadBalancer: object(`${NETWORKING}.IngressLoadBalancerStatus`, 'Points of entry.', {
      ingress: list(
        object(`${NETWORKING}.IngressLoadBalancerIngress`, 'One point of entry.', {
          ip: string('Its address.'),
          hostname: string('Its name.'),
          ports: list(
            object(`${NETWORKING}.IngressPortStatus`, 'State of a port.', {
              port: required(int32('The port.')),
              protocol: required(string('Its protocol.')),
              error: string('What went wrong.'),
            }),
            'State of the ports.',
          ),
        }),
        'Points of entry.',
      ),
    }),
  }),
});
export interface Ingress extends Infer<typeof ingressSchema> {}

export const ingressClassSchema = kind(`${NETWORKING}.IngressClass`, 'A controller for Ingresses.', {
  spec: object(`${NETWORKING}.IngressClassSpec`, 'Which controller.', {
    controller: string('Its name.'),
    parameters: object(`${NETWORKING}.IngressClassParametersReference`, 'Its settings.', {
      apiGroup: string('Group.'),
      kind: required(string('Kind.')),
      name: required(string('Name.')),
      scope: string('Cluster or Namespace.'),
      namespace: string('Namespace.'),
    }),
  }),
});
export interface IngressClass extends Infer<typeof ingressClassSchema> {}
