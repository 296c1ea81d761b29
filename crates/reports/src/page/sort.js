// A click or a key on a column's head sorts the table: figures by their value, the rest by its text.
for (const table of document.querySelectorAll('table')) {
  const body = table.tBodies[0];
  for (const head of table.tHead.rows[0].cells) {
    head.querySelector('button').addEventListener('click', () => {
      const down = head.getAttribute('aria-sort') === 'ascending';
      for (const other of table.tHead.rows[0].cells) other.removeAttribute('aria-sort');
      head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
      const key = row => {
        const cell = row.cells[head.cellIndex];
        const figure = cell.querySelector('data');
        return figure ? Number(figure.value) : cell.textContent;
      };
      const order = (a, b) => typeof a === typeof b ? (a > b) - (a < b) : typeof a === 'number' ? -1 : 1;
      body.append(...[...body.rows].sort((a, b) => order(key(a), key(b)) * (down ? -1 : 1)));
      // The arrow makes a head wider.
      tell();
    });
  }
}
// Tables that are wider than the screen say so, and can be reached and scrolled by keys.
const tell = () => {
  for (const box of document.querySelectorAll('.scroll')) {
    const scrolls = box.scrollWidth > box.clientWidth + 1;
    box.classList.toggle('scrolls', scrolls);
    if (scrolls) box.setAttribute('tabindex', '0'); else box.removeAttribute('tabindex');
  }
};
addEventListener('resize', tell);
tell();
