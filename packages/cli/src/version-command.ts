import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { installation } from './installation.ts';
import { outputOption, printData } from './output.ts';

export function versionCommand(): Command {
  return new Command('version')
    .description('show the version of Ballast and of the Kubernetes API it serves')
    .addOption(outputOption())
    .action((options: { output?: string }) => {
      const text = readFileSync(join(installation.root, 'package.json'), 'utf8');
      const { version } = JSON.parse(text) as { version: string };
      const data = { ballast: version, kubernetes: 'v1.36.0', node: process.version };
      printData(options.output, data, () =>
        Object.entries(data)
          .map(([name, value]) => `${name.padEnd(12)}${value}`)
          .join('\n'),
      );
    });
}
