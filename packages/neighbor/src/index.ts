export type { Mac } from './ethernet.ts';
export { type AddressCounts, LinkPort } from './link-port.ts';
export { type Link, listLinks } from './links.ts';
export { ANNOUNCE_AT_MS, type LinkIdentity, Responder, type ResponderEffect } from './responder.ts';
