/**
 * Shows what is under the pointer in a heat map. Nothing is lost without it: the tables have the
 * numbers.
 */
export const SCRIPT = `
for (const map of document.querySelectorAll('.map')) {
  const positions = map.dataset.positions.split(' ');
  const output = map.parentElement.querySelector('output');
  map.addEventListener('pointermove', event => {
    const row = event.target.closest('[data-ratios]');
    const box = row?.querySelector('svg').getBoundingClientRect();
    const column = row ? Math.floor((event.clientX - box.left) / box.width * positions.length) : -1;
    const ratio = row?.dataset.ratios.split(' ')[column];
    output.textContent = ratio === undefined ? '\\u00a0'
      : row.dataset.name + ', position ' + positions[column] + ': '
        + (ratio === '-' ? 'not given' : 'error / budget ' + ratio);
  });
  map.addEventListener('pointerleave', () => { output.textContent = '\\u00a0'; });
}
`;

/** What the page's Content-Security-Policy lets run: this script, and nothing that a text has. */
export const SCRIPT_HASH = 'sha256-iXIYKTkateZci/Rw2sEk+k3j4t5j5tjjyWBkrimo+fs=';
