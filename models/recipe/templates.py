"""Generated sentences with dates, times, prices and numbers, and text to copy unchanged.

Corpora of everyday sentences have few of these, and a model that has seen few loses digits.
"""

MONTHS = {
    "eng": "January February March April May June July August September October November December",
    "deu": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "rus": "января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
}
MONTHS = {language: names.split() for language, names in MONTHS.items()}

# Sentences around a slot. A slot's text includes its preposition.
CARRIERS = {
    "date": [
        ("I was born {}.", "Ich wurde {} geboren.", "Я родился {}."),
        ("She was born {}.", "Sie wurde {} geboren.", "Она родилась {}."),
        ("He died {}.", "Er starb {}.", "Он умер {}."),
        ("The meeting is {}.", "Die Besprechung ist {}.", "Встреча состоится {}."),
        ("We arrived {}.", "Wir kamen {} an.", "Мы приехали {}."),
        ("The shop opens {}.", "Das Geschäft öffnet {}.", "Магазин откроется {}."),
        ("They got married {}.", "Sie haben {} geheiratet.", "Они поженились {}."),
        ("It happened {}.", "Es geschah {}.", "Это случилось {}."),
    ],
    "time": [
        ("The train leaves {}.", "Der Zug fährt {} ab.", "Поезд отправляется {}."),
        ("I got up {}.", "Ich bin {} aufgestanden.", "Я встал {}."),
        ("The film starts {}.", "Der Film beginnt {}.", "Фильм начинается {}."),
        ("Let's meet {}.", "Treffen wir uns {}.", "Давай встретимся {}."),
        ("Call me {}.", "Ruf mich {} an.", "Позвони мне {}."),
        ("Dinner is {}.", "Das Abendessen ist {}.", "Ужин {}."),
    ],
    "price": [
        ("It costs {}.", "Es kostet {}.", "Это стоит {}."),
        ("The ticket costs {}.", "Die Fahrkarte kostet {}.", "Билет стоит {}."),
        ("I paid {} for it.", "Ich habe {} dafür bezahlt.", "Я заплатил за это {}."),
        ("That will be {}.", "Das macht {}.", "С вас {}."),
        ("The total is {}.", "Die Summe beträgt {}.", "Итого {}."),
        ("Price: {}", "Preis: {}", "Цена: {}"),
    ],
    "number": [
        ("My phone number is {}.", "Meine Telefonnummer ist {}.", "Мой номер телефона {}."),
        ("The number is {}.", "Die Nummer ist {}.", "Номер {}."),
        ("Open page {}.", "Öffne Seite {}.", "Открой страницу {}."),
        ("The room number is {}.", "Die Zimmernummer ist {}.", "Номер комнаты {}."),
        ("Order no. {}", "Bestellung Nr. {}", "Заказ № {}"),
        ("The code is {}.", "Der Code lautet {}.", "Код {}."),
        ("Flight {} is delayed.", "Flug {} hat Verspätung.", "Рейс {} задерживается."),
    ],
    "amount": [
        ("Prices rose by {}.", "Die Preise sind um {} gestiegen.", "Цены выросли на {}."),
        ("Only {} voted.", "Nur {} haben abgestimmt.", "Проголосовали только {}."),
        ("{} agreed.", "{} stimmten zu.", "{} согласились."),
        ("That is {}.", "Das sind {}.", "Это {}."),
    ],
    "copied": [
        ("See {} for more.", "Mehr unter {}.", "Подробнее: {}."),
        ("Open {} in your browser.", "Öffne {} im Browser.", "Откройте {} в браузере."),
        ("Write to {}.", "Schreib an {}.", "Пишите на {}."),
        ("Hello {}!", "Hallo {}!", "Привет, {}!"),
        ("Click on {}.", "Klicken Sie auf {}.", "Нажмите {}."),
        ("The file {} was not found.", "Die Datei {} wurde nicht gefunden.", "Файл {} не найден."),
        ("Thank you {}", "Danke {}", "Спасибо {}"),
        ("{} is not available.", "{} ist nicht verfügbar.", "{} недоступен."),
    ],
}
EMOJI = (
    "😀 😂 😍 🙂 😉 😢 👍 🎉 ❤️ 🔥 🚀 ✅ ❌ ⚠️ ⭐ 🐱 🐶 🌍 ☕ 🍕 → ← ★ ☺ ♥ ✓ © ® ™ ∞ ≠ ≤ π Ω "
    "日本 中文 안녕 שלום مرحبا Ελλάδα"
).split()
SYLLABLES = (
    "ba be bo da de di ka ke ko la le li lo ma mi mo na ne no ra re ro sa se si ta te to va vi"
).split()


class Templates:
    def __init__(self, language, rng):
        self.rng, self.language = rng, language
        self.column = {"deu": 1, "rus": 2}[language]

    def sentence(self):
        """A generated pair of sentences."""
        kind = self.rng.choice(list(CARRIERS))
        carrier = self.rng.choice(CARRIERS[kind])
        source, target = getattr(self, kind)()
        return carrier[0].format(source), carrier[self.column].format(target)

    def date(self):
        day, month, year = (
            self.rng.randint(1, 28),
            self.rng.randrange(12),
            self.rng.randint(1700, 2050),
        )
        with_year = self.rng.random() < 0.7
        name = MONTHS["eng"][month]
        source = self.rng.choice(
            [f"on {day} {name}", f"on {name} {day}", f"on {ordinal(day)} {name}"]
        )
        comma = "," if source.endswith(str(day)) else ""
        source += f"{comma} {year}" if with_year else ""
        local = MONTHS[self.language][month]
        if self.language == "deu":
            return source, f"am {day}. {local}" + (f" {year}" if with_year else "")
        return source, f"{day} {local}" + (f" {year} года" if with_year else "")

    def time(self):
        hour, minute = self.rng.randrange(24), self.rng.randrange(60)
        clock = f"{hour}:{minute:02}"
        if self.rng.random() < 0.5:
            half = self.rng.choice([("am", "pm"), ("a.m.", "p.m.")])[hour >= 12]
            source = f"at {(hour - 1) % 12 + 1}:{minute:02} {half}"
        else:
            source = f"at {clock}"
        return source, f"um {clock} Uhr" if self.language == "deu" else f"в {clock}"

    def price(self):
        sign = self.rng.choice("€$£")
        amount = self.rng.choice(
            [f"{self.rng.randint(1, 99)}.{self.rng.randint(10, 99)}", self.whole()]
        )
        return sign + amount, f"{self.local(amount)} {sign}"

    def amount(self):
        amount = (
            f"{self.rng.randint(0, 99)}.{self.rng.randint(1, 9)}"
            if self.rng.random() < 0.5
            else self.whole()
        )
        percent = self.rng.choice([("%", " %"), ("%", " %"), (" percent", " Prozent")])
        if self.language == "rus":
            percent = ("%", " %")
        return amount + percent[0], self.local(amount) + percent[1]

    def whole(self):
        return f"{self.rng.randint(2, 10 ** self.rng.randint(2, 7)):,}"

    def local(self, amount):
        """1,234.50 in the language's notation."""
        thousands = {"deu": ".", "rus": " "}[self.language]
        return amount.replace(",", "_").replace(".", ",").replace("_", thousands)

    def number(self):
        digits = "".join(str(self.rng.randrange(10)) for _ in range(self.rng.randint(1, 9)))
        text = self.rng.choice([digits, digits, self.grouped(), self.code()])
        return text, text

    def grouped(self):
        separator = self.rng.choice(" -/")
        return separator.join(
            str(self.rng.randrange(10, 9999)) for _ in range(self.rng.randint(2, 4))
        )

    def code(self):
        letters = "".join(
            self.rng.choice("ABCDEFGHKLMNPRSTUVWXZ") for _ in range(self.rng.randint(1, 3))
        )
        return letters + self.rng.choice(["", "-", " "]) + str(self.rng.randrange(1, 9999))

    def copied(self):
        text = self.rng.choice([self.url, self.address, self.placeholder, self.file, self.code])()
        return text, text

    def word(self):
        return "".join(self.rng.choice(SYLLABLES) for _ in range(self.rng.randint(2, 4)))

    def url(self):
        path = self.rng.choice(["", "/" + self.word(), f"/{self.word()}/{self.rng.randrange(999)}"])
        host = self.word() + self.rng.choice([".com", ".org", ".de", ".net", ".ru", ".eu", ".io"])
        return self.rng.choice(["https://", "https://www.", "http://", "www."]) + host + path

    def address(self):
        name = self.word() + self.rng.choice(["", "." + self.word(), str(self.rng.randrange(99))])
        host = self.rng.choice(["example", self.word()])
        return f"{name}@{host}{self.rng.choice(['.com', '.org', '.de', '.ru'])}"

    def placeholder(self):
        name = self.rng.choice(
            ["name", "user", "count", "file", "n", "0", "1", "title", "x", "date"]
        )
        form = self.rng.choice(["{%s}", "{{%s}}", "%%(%s)s", "$%s", "<%s>", "[%s]", "@%s", "#%s"])
        return self.rng.choice([form % name, "%s", "%d", "<b>", "&nbsp;", form % self.word()])

    def file(self):
        return self.word() + self.rng.choice(
            [".txt", ".pdf", ".jpg", "_2.docx", ".html", ".zip", ".py"]
        )

    def emoji(self):
        return " ".join(self.rng.choices(EMOJI, k=self.rng.randint(1, 3)))

    def symbols(self):
        sign = self.rng.choice("-=*_.~#/+>|!?")
        repeated = sign * self.rng.randint(1, 12)
        mixed = "".join(
            self.rng.choices("-=*#/+<>|&%$()[]{}:;!?.,0123456789", k=self.rng.randint(1, 12))
        )
        return self.rng.choice([repeated, mixed])

    def rubbish(self):
        """Text that is not language and must come back unchanged."""
        makers = [
            self.emoji,
            self.symbols,
            self.url,
            self.address,
            self.placeholder,
            self.file,
            self.code,
            self.grouped,
            lambda: self.number()[0],
        ]
        text = " ".join(self.rng.choice(makers)() for _ in range(self.rng.choice([1, 1, 1, 2, 3])))
        return text, text


def ordinal(day):
    ending = "th" if 10 < day < 14 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return f"{day}{ending}"
