// Puts the figures of a ranking in the order of the button that was pressed.
for (const buttons of document.querySelectorAll(".orders")) {
  const ranking = buttons.nextElementSibling;
  const compare = (one, other) =>
    one.localeCompare(other, undefined, { numeric: true });
  [...buttons.children].forEach((button, index) => {
    button.addEventListener("click", () => {
      const key = (figure) => JSON.parse(figure.dataset.keys)[index];
      const number = (figure) => Number(key(figure));
      const figures = [...ranking.children].sort((a, b) =>
        Number.isNaN(number(a)) ? compare(key(a), key(b)) : number(a) - number(b));
      ranking.append(...figures);
    });
  });
}
