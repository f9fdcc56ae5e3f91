/**
 * A body that is made while it is read, and not ahead of that.
 *
 * @param leave what is to be done when nobody reads any more. Default: `chunks` end
 */
export function pulled(
  chunks: AsyncGenerator<Uint8Array>,
  leave: () => Promise<unknown> = () => chunks.return(undefined),
): ReadableStream<Uint8Array> {
  return new ReadableStream(
    {
      async pull(controller) {
        const { done, value } = await chunks.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        await leave();
      },
    },
    { highWaterMark: 0 },
  );
}
