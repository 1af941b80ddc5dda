import { type FieldReaders, textField } from '../cache/cached-object.ts';
import type { ApiObject } from '../object/api-object.ts';
import type { ResourceView } from './definition.ts';

/** Both names of every field, read from the stored (core/v1) form, because both resources select among the same objects. */
function involved(at: string): FieldReaders {
  const names = ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'];
  return Object.fromEntries(names.map((name) => [`${at}.${name}`, textField('involvedObject', name)]));
}

export const eventFields: FieldReaders = {
  ...involved('involvedObject'),
  ...involved('regarding'),
  reason: textField('reason'),
  type: textField('type'),
  source: textField('source', 'component'),
  reportingComponent: textField('reportingComponent'),
  reportingController: textField('reportingComponent'),
};

/** core/v1 and events.k8s.io/v1 events are the same objects under other field names. */
const RENAMED = [
  ['involvedObject', 'regarding'],
  ['message', 'note'],
  ['reportingComponent', 'reportingController'],
  ['source', 'deprecatedSource'],
  ['firstTimestamp', 'deprecatedFirstTimestamp'],
  ['lastTimestamp', 'deprecatedLastTimestamp'],
  ['count', 'deprecatedCount'],
] as const;

function rename(
  object: ApiObject,
  apiVersion: string,
  pairs: readonly (readonly [from: string, to: string])[],
): ApiObject {
  const { kind, metadata, apiVersion: _old, ...fields } = object;
  const names = new Map(pairs.map(([from, to]) => [from, to]));
  const renamed = Object.entries(fields).map(([name, value]) => [names.get(name) ?? name, value]);
  return { kind, apiVersion, metadata, ...Object.fromEntries(renamed) };
}

export const eventView: ResourceView = {
  toView: (stored) => rename(stored, 'events.k8s.io/v1', RENAMED),
  toStored: (view) =>
    rename(
      view,
      'v1',
      RENAMED.map(([core, events]) => [events, core]),
    ),
};
