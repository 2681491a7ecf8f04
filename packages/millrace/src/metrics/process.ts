/**
 * Metrics of the process itself: memory, processor time, and how late the event loop is.
 */
import type { Counters } from './counters.ts'

/** Time between looks at the event loop. */
const LOOK_MS = 100

/**
 * Begins to observe the process.
 * @param version of Millrace
 * @returns ends it; the last numbers stay
 */
export function observeProcess(counters: Counters, version: string): () => void {
  const meter = counters.meter({})
  meter.observe('millrace_build_info', () => 1, { version })
  meter.observe('millrace_process_uptime_seconds', () => process.uptime())
  meter.observe('millrace_process_cpu_seconds_total', () => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1e6
  })
  // Asked for one by one, the memory of a process costs three times as much.
  let memory: NodeJS.MemoryUsage | undefined
  meter.observe('millrace_process_resident_bytes', () => (memory = process.memoryUsage()).rss)
  meter.observe('millrace_process_heap_bytes', () => (memory ??= process.memoryUsage()).heapUsed)
  meter.observe('millrace_process_buffer_bytes', () => (memory ??= process.memoryUsage()).external)
  const delays = meter.histogram('millrace_process_delay_seconds')
  let due = performance.now() + LOOK_MS
  const timer = setInterval(() => {
    const now = performance.now()
    delays.observe(Math.max(0, now - due) / 1000)
    due = now + LOOK_MS
  }, LOOK_MS)
  timer.unref()
  return () => clearInterval(timer)
}
