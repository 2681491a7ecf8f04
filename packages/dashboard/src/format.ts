/** Numbers as people read them. Nothing known is a dash. */
const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })
const short = new Intl.NumberFormat('en-US', { notation: 'compact', maximumFractionDigits: 1 })

export function count(value: number | null | undefined): string {
  return value === null || value === undefined ? '–' : whole.format(value)
}

export function rate(value: number | null | undefined): string {
  return value === null || value === undefined
    ? '–'
    : `${value < 10 ? value.toFixed(value === 0 ? 0 : 1) : short.format(value)}/s`
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
  if (value < 1) return `${Math.max(1, Math.round(value * 1000))} ms`
  if (value < 120) return `${value < 10 ? value.toFixed(1) : Math.round(value)} s`
  if (value < 7200) return `${Math.round(value / 60)} min`
  if (value < 172_800) return `${Math.round(value / 3600)} h`
  return `${Math.round(value / 86_400)} d`
}

export function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}

export function clock(iso: string): string {
  return new Date(iso).toLocaleTimeString()
}
