import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'

// A chunk of its own: 20 kB that only a page with a chart fetches.

/** Draws sums over time as steps: between two refunds nothing was attributed. Colours are those of the page's stylesheet. */
export const draw = (
  place: HTMLElement,
  points: readonly [number[], number[]],
  size: { readonly width: number; readonly height: number },
): { destroy: () => void } => {
  const colour = (name: string): string => getComputedStyle(place).getPropertyValue(name).trim() || getComputedStyle(place).color
  const stroke = colour('--stroke')
  const axis = { stroke: getComputedStyle(place).color, grid: { stroke, width: 1 }, ticks: { stroke, width: 1 } }
  const line = getComputedStyle(place).outlineColor
  const paths = uPlot.paths.stepped?.({ align: 1 })
  return new uPlot(
    {
      ...size,
      legend: { show: false },
      cursor: { show: false },
      axes: [axis, { ...axis, size: 70 }],
      series: [{}, { stroke: line, width: 2, points: { show: points[0].length < 60 }, ...(paths !== undefined && { paths }) }],
    },
    [points[0], points[1]],
    place,
  )
}
