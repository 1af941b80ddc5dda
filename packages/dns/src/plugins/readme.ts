import type { Plugin } from '../chain/plugin.ts';

/** The Syntax section of a plugin's README, made from what the parser goes by: so the two cannot differ. */
export function syntaxSection(plugin: Plugin): string {
  const options = Object.entries(plugin.optionSummaries).map(([name, summary]) => `- \`${name}\`: ${summary}`);
  return ['## Syntax', '', '```', plugin.syntax, '```', ...(options.length > 0 ? ['', ...options] : []), ''].join('\n');
}

/** The README with its Syntax section replaced. */
export function withSyntax(readme: string, plugin: Plugin): string {
  return readme.replace(/## Syntax\n[\s\S]*?(?=\n## )/, () => syntaxSection(plugin));
}

/** The Corefiles among the examples. */
export function exampleCorefiles(readme: string): string[] {
  const examples = readme.slice(readme.indexOf('## Examples'));
  return Array.from(examples.matchAll(/```corefile\n([\s\S]*?)```/g), ([, text]) => text ?? '');
}
