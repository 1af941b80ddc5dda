/**
 * Starts `count` operations in batches of 1, 2, 4, …: when the first of them fails (a quota, an admission step), only few have been
 * tried in vain. Resolves with how many went well; rejects with the first failure, after its batch has ended.
 */
export async function slowStart(count: number, operation: (index: number) => Promise<void>): Promise<number> {
  let done = 0;
  for (let size = 1; done < count; size *= 2) {
    const batch = Array.from({ length: Math.min(size, count - done) }, (_, i) => operation(done + i));
    const results = await Promise.allSettled(batch);
    const failed = results.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
    done += results.length;
  }
  return done;
}
