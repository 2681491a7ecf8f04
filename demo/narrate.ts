/** What the demo tells while it works: a line per step, which on a terminal first says what is being done. */

/** Replaces what a step was doing by what came of it. */
type Told = (outcome: string) => void

export interface Narrator {
  /** Whether somebody looks on. */
  readonly live: boolean
  title(text: string): void
  step(name: string, doing?: string): Told
  failed(text: string): void
  next(commands: readonly (readonly [command: string, gives: string])[]): void
}

/** @param aside on standard error, and without advice: standard output is for the result, which a script reads */
export function narrate(aside: boolean): Narrator {
  const out = aside ? process.stderr : process.stdout
  const live = out.isTTY && process.stderr.isTTY
  const say = (text: string): boolean => out.write(`${text}\n`)
  const [bold, green, red, dim, plain] =
    out.isTTY && out.hasColors() ? ['\x1b[1m', '\x1b[32m', '\x1b[31m', '\x1b[2m', '\x1b[0m'] : ['', '', '', '', '']
  return {
    live,
    title: (text) => say(`\n${bold}${text}${plain}\n`),
    step(name, doing) {
      if (live && doing !== undefined) out.write(`  ${name.padEnd(9)} ${dim}${doing} ...${plain}`)
      return (outcome) => say(`${live ? '\r\x1b[2K' : ''}  ${green}${name.padEnd(9)}${plain} ${outcome}`)
    },
    failed: (text) => say(`\n${red}${text}${plain}`),
    next(commands) {
      // Nobody reads on after the result.
      if (aside) return
      const width = Math.max(...commands.map(([command]) => command.length))
      say(`\n${bold}Try next${plain}\n`)
      for (const [command, gives] of commands) say(`  ${command.padEnd(width)}  ${dim}${gives}${plain}`)
      say('')
    },
  }
}

/** A number with commas. */
export function number(value: number): string {
  return value.toLocaleString('en-US')
}
