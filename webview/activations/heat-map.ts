import { html, svg } from 'lit';
import { number } from './numbers';

const CELL = { width: 58, height: 30 };
const LEFT = 34;
const TOP = 22;

/**
 * A small matrix with its numbers: orange above zero, blue below, stronger with magnitude. Each number also has its
 * sign, and the colors are faint enough to read over.
 *
 * @param values row-major, rows × columns
 * @param columns column headers
 */
export function heatMap(label: string, values: Float32Array, rows: number, columns: readonly string[]) {
  const n = columns.length;
  const most = Math.max(1e-9, ...values.map(Math.abs));
  const [width, height] = [LEFT + n * CELL.width + 2, TOP + rows * CELL.height + 2];
  return html`<div class="scroll" tabindex="0" role="group" aria-label=${label}>
    <svg
      class="heat"
      width=${width}
      height=${height}
      role="img"
      aria-label=${describe(label, values, rows, n)}
    >
      ${columns.map(
        (name, j) => svg`<text x=${LEFT + (j + 0.5) * CELL.width} y="14" text-anchor="middle">${name}</text>`,
      )}
      ${Array.from(values, (v, k) => {
        const [i, j] = [Math.floor(k / n), k % n];
        const [x, y] = [LEFT + j * CELL.width, TOP + i * CELL.height];
        return svg`<rect class=${v < 0 ? 'cell negative' : 'cell positive'} fill-opacity=${(0.5 * Math.abs(v)) / most} x=${x} y=${y} width=${CELL.width - 2} height=${CELL.height - 2} />
          ${j === 0 ? svg`<text x=${LEFT - 8} y=${y + 18} text-anchor="end">${i}</text>` : ''}
          <text x=${x + CELL.width / 2 - 1} y=${y + 18} text-anchor="middle">${number(v)}</text>`;
      })}
    </svg>
  </div>`;
}

function describe(label: string, values: Float32Array, rows: number, n: number): string {
  const lines = Array.from({ length: rows }, (_, i) =>
    Array.from(values.subarray(i * n, (i + 1) * n), number).join(', '),
  );
  return `${label}: ${lines.join('; ')}`;
}
