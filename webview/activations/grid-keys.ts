/** The target of a key in a grid of cards that wraps with the window's width; undefined for other keys. */
export function gridKey(key: string, at: number, cards: readonly HTMLElement[]): number | undefined {
  const row = cards[at].offsetTop;
  const columns = cards.filter((c) => c.offsetTop === cards[0].offsetTop).length;
  const to: Record<string, number> = {
    ArrowLeft: at - 1,
    ArrowRight: at + 1,
    ArrowUp: at - columns,
    ArrowDown: at + columns,
    Home: cards.findIndex((c) => c.offsetTop === row),
    End: cards.findLastIndex((c) => c.offsetTop === row),
  };
  return cards[to[key]] ? to[key] : Object.hasOwn(to, key) ? at : undefined;
}
