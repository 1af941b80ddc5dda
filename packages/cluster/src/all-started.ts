/**
 * Starts parts side by side and puts each into `stack` as soon as it runs. When one fails, `giveUp` tells those that wait for something, and
 * all are waited for before the error is thrown: disposing the stack then leaves nothing running.
 */
export async function allStarted<Parts extends readonly object[]>(
  stack: AsyncDisposableStack,
  starting: { readonly [Index in keyof Parts]: Promise<Parts[Index]> },
  giveUp: () => void = () => {},
): Promise<{ -readonly [Index in keyof Parts]: Parts[Index] }> {
  const parts: readonly Promise<object>[] = starting;
  const errors: unknown[] = [];
  const started = parts.map(async (part) => {
    try {
      const running = await part;
      if (Symbol.asyncDispose in running) stack.use(running as AsyncDisposable);
    } catch (error) {
      errors.push(error);
      giveUp();
    }
  });
  await Promise.all(started);
  if (errors.length > 0) throw errors[0];
  return Promise.all(starting);
}
