/** Variables that a Corefile may refer to; unset ones read as empty. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Replaces `{$NAME}` and `{%NAME%}`. The result stays one word; malformed references are left as they are. */
export function substituteEnvironment(text: string, environment: Environment): string {
  return text.replace(/\{\$([^{}$%\s]+)\}|\{%([^{}$%\s]+)%\}/g, (_, unix?: string, windows?: string) => {
    return environment[unix ?? windows ?? ''] ?? '';
  });
}
