export {
  type Community,
  formatCommunity,
  formatLargeCommunity,
  type LargeCommunity,
  parseCommunity,
  parseLargeCommunity,
  WELL_KNOWN_COMMUNITIES,
} from './community.ts';
export { FAMILIES, type Family } from './family.ts';
export { SESSION_STATES, type SessionReport, type SessionState } from './session.ts';
export type { ExportRoute, GracefulRestartConfig, PeerConfig } from './session-config.ts';
export { BgpSpeaker, type RouteChange, type SpeakerOptions } from './speaker.ts';
export { startThreadedSpeaker, type ThreadedSpeaker } from './threaded-speaker.ts';
