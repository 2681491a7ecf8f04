/**
 * Logs of the connector: one JSON object per line on standard error, as Flow reads them.
 *
 * The runtime reports the last line as the reason when the process fails, so an error is logged last.
 */

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof LEVELS)[number]

export class Logs {
  readonly #write: (line: string) => void
  readonly #lowest: number

  /** @param level as in `LOG_LEVEL`; `info` for anything that is no level */
  constructor(write: (line: string) => void, level: string | undefined) {
    this.#write = write
    const index = LEVELS.indexOf((level ?? 'info').toLowerCase() as LogLevel)
    this.#lowest = index < 0 ? LEVELS.indexOf('info') : index
  }

  debug(message: string, fields?: Readonly<Record<string, unknown>>): void {
    this.#log('debug', message, fields)
  }
  info(message: string, fields?: Readonly<Record<string, unknown>>): void {
    this.#log('info', message, fields)
  }
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void {
    this.#log('warn', message, fields)
  }
  error(message: string, fields?: Readonly<Record<string, unknown>>): void {
    this.#log('error', message, fields)
  }

  #log(level: LogLevel, message: string, fields: Readonly<Record<string, unknown>> = {}): void {
    if (LEVELS.indexOf(level) < this.#lowest) return
    const entry = { timestamp: new Date().toISOString(), level: level.toUpperCase(), message, ...fields }
    this.#write(`${JSON.stringify(entry)}\n`)
  }
}
