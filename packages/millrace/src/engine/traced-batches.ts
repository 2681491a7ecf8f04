/** Spans of OpenTelemetry for the batches of a source: from the moment that a pipeline gets a batch until it is acknowledged. */
import type { Source } from '../contracts/source.ts'
import { AbortedError } from '../errors/index.ts'
import { WatchedAcknowledgement } from '../records/acknowledgement.ts'
import type { Batch } from '../records/batch.ts'
import { tracingApi } from '../telemetry/api.ts'
import { type BatchSpan, type Processor, processSpan } from '../telemetry/batch-span.ts'

/** Makes a source give its batches with spans, if something records traces; otherwise it is left as it is. */
export function traceBatches(source: Source, processor: Processor): void {
  if (tracingApi() === undefined) return
  const [read, close] = [source.batches.bind(source), source.close.bind(source)]
  const open = new Set<BatchSpan>()
  source.batches = (signal) => traced(read(signal), processor, open)
  source.close = async () => {
    try {
      await close()
    } finally {
      // What is not acknowledged is read again.
      for (const span of open) {
        span.failed(new AbortedError('Processing a batch'))
        span.end()
      }
      open.clear()
    }
  }
}

async function* traced(
  batches: AsyncIterable<Batch>,
  processor: Processor,
  open: Set<BatchSpan>,
): AsyncGenerator<Batch, void, undefined> {
  for await (const batch of batches) {
    const span = processSpan(batch, processor)
    if (span === undefined) {
      yield batch
      continue
    }
    open.add(span)
    const done = (): void => {
      open.delete(span)
      span.end()
    }
    yield batch.derive(batch, new WatchedAcknowledgement(batch.acknowledgement, done))
  }
}
