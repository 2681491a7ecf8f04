/** Numbers as people read them. Nothing known is a dash. */
const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })
const compact = new Intl.NumberFormat('en-US', { notation: 'compact', maximumFractionDigits: 1 })

export function count(value: number | null | undefined): string {
  return value === null || value === undefined ? '–' : whole.format(value)
}

/** For axes. */
export function short(value: number): string {
  return compact.format(value)
}

export function rate(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–'
  return `${value < 10 ? value.toFixed(value === 0 ? 0 : 1) : value < 1000 ? Math.round(value) : compact.format(value)}/s`
}

export function bytes(value: number | undefined): string {
  if (value === undefined) return '–'
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return `${value < 10 && unit > 0 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`
}

export function seconds(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–'
  if (value === 0) return '0 s'
  if (value < 1) return `${digits(Math.max(0.1, value * 1000))} ms`
  if (value < 120) return `${value < 10 ? value.toFixed(1) : Math.round(value)} s`
  if (value < 7200) return `${digits(value / 60)} min`
  if (value < 172_800) return `${digits(value / 3600)} h`
  return `${digits(value / 86_400)} d`
}

/** One behind the point below 10, where it says something. */
function digits(value: number): string {
  return String(value < 10 ? Math.round(value * 10) / 10 : Math.round(value))
}

export function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}

export function clock(iso: string): string {
  return new Date(iso).toLocaleTimeString([], { hourCycle: 'h23' })
}
