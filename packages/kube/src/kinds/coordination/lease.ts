import { type Infer, int32, kind, microTime, object, string } from '../../schema/index.ts';

const COORDINATION = 'io.k8s.api.coordination.v1';

const leaseSpecSchema = object(`${COORDINATION}.LeaseSpec`, 'Who holds the lease.', {
  holderIdentity: string('The holder.'),
  leaseDurationSeconds: int32('How long it lasts without renewal.'),
  acquireTime: microTime('When the holder got it.'),
  renewTime: microTime('When the holder last renewed it.'),
  leaseTransitions: int32('How often it changed hands.'),
  strategy: string('How candidates are chosen.'),
  preferredHolder: string('Who should have it.'),
});
export interface LeaseSpec extends Infer<typeof leaseSpecSchema> {}

export const leaseSchema = kind(`${COORDINATION}.Lease`, 'A sign of life, or a claim to lead.', {
  spec: leaseSpecSchema,
});
export interface Lease extends Infer<typeof leaseSchema> {}
