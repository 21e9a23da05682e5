/** Milliseconds of an action, and the longest time for which it kept other work waiting. */
export async function timed<T>(
  action: () => T | Promise<T>,
): Promise<{ ms: number; blocked: number; value: T }> {
  let last = performance.now();
  let blocked = 0;
  const look = () => {
    const now = performance.now();
    blocked = Math.max(blocked, now - last - 1);
    last = now;
  };
  const timer = setInterval(look, 1);
  const began = performance.now();
  const value = await action();
  const ms = performance.now() - began;
  look();
  clearInterval(timer);
  return { ms, blocked, value };
}
