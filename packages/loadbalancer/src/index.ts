export { type AddressControllerOptions, startAddressController } from './address-controller/address-controller.ts';
export { DEFAULT_TIMINGS, type MembershipTimings } from './membership/membership.ts';
export { METALLB_CRDS } from './resources/crds.ts';
export * from './resources/kinds.ts';
export { startSpeaker } from './speaker/speaker.ts';
export type { SpeakerOptions } from './speaker/speaker-options.ts';
