import { createHash } from 'node:crypto';
import type { Plugin } from '../chain/plugin.ts';
import { suggestion } from '../corefile/closest-match.ts';
import type { Environment } from '../corefile/environment.ts';
import { type Block, type Line, parseCorefile } from '../corefile/parser.ts';
import { CorefileError, type CorefileProblem, type Place } from '../corefile/problem.ts';
import { parseServerKey, type ServerKey } from '../corefile/server-key.ts';
import type { CorefileSource } from '../corefile/source.ts';
import type { Report } from '../syntax/argument.ts';

/** A plugin with its lines understood, waiting for what it works with. */
export interface PlannedPlugin {
  readonly plugin: Plugin;
  readonly create: NonNullable<ReturnType<Plugin['parse']>>;
}

/** A server block that is right as far as its text goes. */
export interface BlockPlan {
  readonly place: Place;
  readonly keys: readonly ServerKey[];
  /** In the order of the chain, whatever the order in the file. */
  readonly plugins: readonly PlannedPlugin[];
}

export interface CorefilePlan {
  readonly blocks: readonly BlockPlan[];
  readonly warnings: readonly CorefileProblem[];
  /** Changes when anything that was read changes, imported files and environment included; comments do not count. */
  readonly digest: string;
}

export interface CompileOptions {
  readonly file: string;
  readonly plugins: readonly Plugin[];
  readonly source: CorefileSource;
  readonly environment?: Environment;
  readonly defaultPort?: number;
}

/** Reads a Corefile into a plan without touching anything; throws a CorefileError with every problem. */
export function compileCorefile(text: string, options: CompileOptions): CorefilePlan {
  const { blocks, problems: found, warnings } = parseCorefile(text, options);
  const problems = [...found];
  const report: Report = (place, message) => problems.push({ place, message });
  const plans = blocks.map((block) => planBlock(block, options, report));
  if (problems.length > 0) throw new CorefileError(problems);
  const digest = createHash('sha512')
    .update(JSON.stringify(blocks.map(wordsOf)))
    .digest('hex');
  return { blocks: plans, warnings, digest };
}

function planBlock(block: Block, options: CompileOptions, report: Report): BlockPlan {
  const keys: ServerKey[] = [];
  for (const token of block.keys) {
    const key = parseServerKey(token.text, options.defaultPort);
    if (typeof key === 'string') report(token.place, key);
    else keys.push(key);
  }
  const lines = new Map<string, Line[]>();
  const known = options.plugins.map((plugin) => plugin.name);
  for (const line of block.directives) {
    const name = line.name.text;
    if (!known.includes(name)) report(line.name.place, `unknown directive "${name}"; ${suggestion(name, known)}`);
    else lines.set(name, [...(lines.get(name) ?? []), line]);
  }
  const plugins: PlannedPlugin[] = [];
  for (const plugin of options.plugins) {
    const own = lines.get(plugin.name);
    const create = own && plugin.parse(own, report);
    if (create) plugins.push({ plugin, create });
  }
  return { place: block.keys[0]?.place ?? { file: options.file, line: 1 }, keys, plugins };
}

function wordsOf(block: Block): unknown {
  const line = ({ name, args, body }: Line): unknown => [name.text, args.map((token) => token.text), body?.map(line)];
  return [block.keys.map((token) => token.text), block.directives.map(line)];
}
