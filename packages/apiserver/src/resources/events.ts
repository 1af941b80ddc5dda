import type { ResourceSpecifics } from './definition.ts';
import { eventFields, eventView } from './event-view.ts';

export const events: ResourceSpecifics = { selectableFields: eventFields, createOnUpdate: true };

/** The same objects in the form of events.k8s.io/v1. */
export const eventsV1: ResourceSpecifics = { ...events, storageKey: 'events', storageVersion: 'v1', view: eventView };
