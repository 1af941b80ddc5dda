import {
  type Infer,
  int32,
  int64,
  intOrString,
  list,
  object,
  oneOf,
  required,
  string,
  withDefault,
} from '../../schema/index.ts';

const CORE = 'io.k8s.api.core.v1';

const execActionSchema = object(`${CORE}.ExecAction`, 'Runs a command in the container; exit code 0 is success.', {
  command: list(string(), 'The program and its arguments, without a shell.'),
});
export interface ExecAction extends Infer<typeof execActionSchema> {}

const httpHeaderSchema = object(`${CORE}.HTTPHeader`, 'A header of the request.', {
  name: required(string('Name.')),
  value: required(string('Value.')),
});
export interface HTTPHeader extends Infer<typeof httpHeaderSchema> {}

const httpGetActionSchema = object(`${CORE}.HTTPGetAction`, 'An HTTP GET; 200 to 399 is success.', {
  path: withDefault(string('Path of the request.'), '/'),
  port: required(intOrString('Number or name of the port.')),
  host: string('Host to connect to; the pod IP if absent.'),
  scheme: withDefault(oneOf(['HTTP', 'HTTPS'], 'Protocol.'), 'HTTP'),
  httpHeaders: list(httpHeaderSchema, 'Further headers.'),
});
export interface HTTPGetAction extends Infer<typeof httpGetActionSchema> {}

const tcpSocketActionSchema = object(`${CORE}.TCPSocketAction`, 'Opens a TCP connection.', {
  port: required(intOrString('Number or name of the port.')),
  host: string('Host to connect to; the pod IP if absent.'),
});
export interface TCPSocketAction extends Infer<typeof tcpSocketActionSchema> {}

const grpcActionSchema = object(`${CORE}.GRPCAction`, 'Calls the gRPC health service.', {
  port: required(int32('Port of the service.')),
  service: withDefault(string('Service to ask about.'), ''),
});
export interface GRPCAction extends Infer<typeof grpcActionSchema> {}

const sleepActionSchema = object(`${CORE}.SleepAction`, 'Waits.', {
  seconds: required(int64('How long.')),
});

export const probeSchema = object(`${CORE}.Probe`, 'A repeated check of a container.', {
  exec: execActionSchema,
  httpGet: httpGetActionSchema,
  tcpSocket: tcpSocketActionSchema,
  grpc: grpcActionSchema,
  initialDelaySeconds: int32('Seconds after the start before the first check.'),
  timeoutSeconds: withDefault(int32('Seconds until a check counts as failed.'), 1),
  periodSeconds: withDefault(int32('Seconds between checks.'), 10),
  successThreshold: withDefault(int32('Successes in a row that make a failed check good again.'), 1),
  failureThreshold: withDefault(int32('Failures in a row that make a good check fail.'), 3),
  terminationGracePeriodSeconds: int64('Overrides the grace period of the pod when this check kills the container.'),
});
export interface Probe extends Infer<typeof probeSchema> {}

const lifecycleHandlerSchema = object(`${CORE}.LifecycleHandler`, 'What to do at a point of a container’s life.', {
  exec: execActionSchema,
  httpGet: httpGetActionSchema,
  tcpSocket: tcpSocketActionSchema,
  sleep: sleepActionSchema,
});
export interface LifecycleHandler extends Infer<typeof lifecycleHandlerSchema> {}

export const lifecycleSchema = object(`${CORE}.Lifecycle`, 'Actions on start and stop of a container.', {
  postStart: lifecycleHandlerSchema,
  preStop: lifecycleHandlerSchema,
  stopSignal: string('Signal that stops the container; the image decides if absent.'),
});
export interface Lifecycle extends Infer<typeof lifecycleSchema> {}
