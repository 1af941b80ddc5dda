import type { ResourceDefinition } from './definition.ts';

/** All resources that are served now. Custom resources come and go. */
export class ResourceRegistry {
  readonly #byPath = new Map<string, ResourceDefinition>();
  readonly #listeners: (() => void)[] = [];

  constructor(resources: readonly ResourceDefinition[]) {
    for (const resource of resources) this.#byPath.set(pathOf(resource), resource);
  }

  find(group: string, version: string, plural: string): ResourceDefinition | undefined {
    return this.#byPath.get(pathOf({ group, version, plural }));
  }

  /** A served version of the resource, whichever comes first. */
  findAnyVersion(group: string, plural: string): ResourceDefinition | undefined {
    return this.all.find((resource) => resource.group === group && resource.plural === plural);
  }

  get all(): readonly ResourceDefinition[] {
    return [...this.#byPath.values()];
  }

  /** Replaces the definitions for which `belongs` is true, and tells the listeners when that changes anything. */
  replace(belongs: (resource: ResourceDefinition) => boolean, by: readonly ResourceDefinition[]): void {
    for (const [path, resource] of this.#byPath) if (belongs(resource)) this.#byPath.delete(path);
    for (const resource of by) this.#byPath.set(pathOf(resource), resource);
    for (const listener of this.#listeners) listener();
  }

  /** Calls `listener` after every change. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }
}

function pathOf({ group, version, plural }: Pick<ResourceDefinition, 'group' | 'version' | 'plural'>): string {
  return `${group}/${version}/${plural}`;
}
