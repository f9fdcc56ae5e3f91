/** The form of the settings, made of their table. */
import {
  FIELDS,
  type Field,
  type FieldName,
  INITIAL,
  type Settings,
  type Values,
  whyNot,
} from '../settings/fields.js';
import { button, byId, make } from './elements.js';

export class SettingsPanel {
  readonly #system = byId<HTMLTextAreaElement>('system');
  readonly #place = byId('fields');
  readonly #onChange: () => void;
  #values: Values;

  /** @param onSystem when a system text is written */
  constructor(settings: Settings, onChange: () => void, onSystem: () => void) {
    this.#onChange = onChange;
    this.#values = settings.values;
    this.#system.value = settings.system;
    this.#system.addEventListener('input', onChange);
    this.#system.addEventListener('change', onSystem);
    this.#showFields();
    byId('settings-end').append(button('again', 'Back to the defaults', () => this.#reset()));
  }

  get settings(): Settings {
    return { system: this.#system.value, values: this.#values };
  }

  /** @param wrong why the model takes no system text, if it does not */
  showSystem(wrong: string | undefined): void {
    this.#system.setAttribute('aria-invalid', String(wrong !== undefined));
    byId('system-error').textContent = wrong ?? '';
  }

  #reset(): void {
    this.#values = INITIAL.values;
    this.#system.value = '';
    this.showSystem(undefined);
    this.#showFields();
    this.#onChange();
  }

  #showFields(): void {
    this.#place.replaceChildren(...FIELDS.map(field => this.#rowOf(field)));
  }

  #rowOf(field: Field & { readonly name: FieldName }): HTMLElement {
    const { name, label, help } = field;
    const number = numberInput(field, this.#values[name]);
    const slider = field.slider === undefined ? undefined : sliderInput(field, field.slider);
    const error = make('p', { class: 'error', id: `${name}-error`, role: 'alert' });
    const follow = (value: number | undefined) => {
      if (slider) slider.value = String(value ?? 1);
    };
    follow(this.#values[name]);
    number.addEventListener('input', () => {
      const isEmpty = number.value === '' && !number.validity.badInput;
      const value = isEmpty ? undefined : number.valueAsNumber;
      const wrong = value === undefined ? undefined : whyNot(field, value);
      error.textContent = wrong ?? '';
      number.setAttribute('aria-invalid', String(wrong !== undefined));
      if (wrong !== undefined) return;
      follow(value);
      this.#set(name, value);
    });
    slider?.addEventListener('input', () => {
      number.value = slider.value;
      number.dispatchEvent(new Event('input'));
    });
    return make(
      'div',
      { class: 'field' },
      make('label', { for: name }, label),
      ...(slider ? [slider] : []),
      number,
      make('p', { class: 'help', id: `${name}-help` }, help),
      error,
    );
  }

  #set(name: FieldName, value: number | undefined): void {
    const { [name]: _, ...others } = this.#values;
    this.#values = value === undefined ? others : { ...others, [name]: value };
    this.#onChange();
  }
}

function numberInput({ name, min, max, step }: Field, value: number | undefined) {
  const made = make('input', {
    type: 'number',
    id: name,
    min: String(min),
    max: max === undefined ? undefined : String(max),
    step: step === 1 ? '1' : 'any',
    placeholder: 'auto',
    'aria-describedby': `${name}-help ${name}-error`,
  });
  made.value = value === undefined ? '' : String(value);
  return made;
}

/** The same by pointer; keys and names are those of the number beside it. */
const sliderInput = ({ min, step }: Field, max: number) =>
  make('input', {
    type: 'range',
    min: String(step === 1 ? min : Math.max(min, 0)),
    max: String(max),
    step: String(step),
    tabindex: '-1',
    'aria-hidden': 'true',
  });
