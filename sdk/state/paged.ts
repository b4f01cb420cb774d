/** Items handed out before others get a turn. */
const PAGE = 1000;

/** Items of a page after the other, so that a large cell keeps nobody else waiting. */
export async function* paged<T>(items: Iterable<T>): AsyncIterableIterator<T> {
  let left = PAGE;
  for (const item of items) {
    if (left-- === 0) {
      left = PAGE - 1;
      await new Promise<void>((resolve) => void setImmediate(resolve));
    }
    yield item;
  }
}
