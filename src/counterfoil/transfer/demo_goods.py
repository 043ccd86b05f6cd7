"""What is sold in the demo: stores, their merchants, and what each of them makes.

Prices are minor units of the store's currency. Everybody here is invented.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct


class DemoMerchant(Struct, frozen=True):
    """A merchant's code, name and goods, each as (sku, name, price)."""

    code: str
    name: str
    goods: tuple[tuple[str, str, int], ...]


class DemoStore(Struct, frozen=True, kw_only=True):
    """A store and its habits. Money in minor units; `hours_east` is its clock's offset."""

    code: str
    name: str
    currency: str
    number_prefix: str
    scopes: tuple[str, ...] = ()
    weight: int
    hours_east: int
    countries: dict[str, int]
    shipping: int
    free_from: int
    carrier: str
    tracking: str
    merchants: tuple[DemoMerchant, ...]


STORES: Final = (
    DemoStore(
        code="main",
        name="Papierboot",
        currency="EUR",
        number_prefix="",
        scopes=("partial_capture",),
        weight=30,
        hours_east=1,
        countries=dict(FR=20, ES=14, US=14, GB=12, GR=9, UA=7, PL=7, IN=6, BR=5, IL=3, VN=3),
        shipping=590,
        free_from=7500,
        carrier="Europost",
        tracking="EP{n:09d}FR",
        merchants=(
            DemoMerchant(
                "main",
                "Papierboot",
                (
                    ("PB-NB-A5", "Notebook A5, dotted", 1450),
                    ("PB-NB-A6", "Notebook A6, squared", 950),
                    ("PB-PEN-07", "Gel pen 0.7, forest green", 320),
                    ("PB-CAL-27", "Wall calendar 2027 «Îles»", 2400),
                    ("PB-TAPE-3", "Paper tape, set of three", 780),
                    ("PB-SEAL", "Sealing wax and stamp", 2900),
                ),
            ),
            DemoMerchant(
                "atelier-brume",
                "Atelier Brume",
                (
                    ("AB-CDL-01", "Bougie « Brume d’automne »", 3400),
                    ("AB-CDL-02", "Bougie « Figuier »", 3400),
                    ("AB-SOAP", "Savon à l’huile d’olive", 890),
                    ("AB-VASE-S", "Vase en grès, petit", 5200),
                    ("AB-MUG", "Mug en grès, émail bleu", 2650),
                ),
            ),
            DemoMerchant(
                "elaia",
                "Ελαία & Υιοί",
                (
                    ("EL-OIL-05", "Εξαιρετικό παρθένο ελαιόλαδο 500 ml", 1680),
                    ("EL-OLV", "Ελιές Καλαμών 350 g", 790),
                    ("EL-HON", "Θυμαρίσιο μέλι 450 g", 1390),
                    ("EL-TEA", "Τσάι του βουνού", 560),
                ),
            ),
            DemoMerchant(
                "vyshyvka",
                "Вишивка",
                (
                    ("VY-SHRT-M", "Вишиванка лляна, M", 8900),
                    ("VY-SHRT-L", "Вишиванка лляна, L", 8900),
                    ("VY-TWL", "Рушник, ручна робота", 4600),
                ),
            ),
        ),
    ),
    DemoStore(
        code="oslo",
        name="Fjell & Tråd",
        currency="NOK",
        number_prefix="OSL-",
        weight=20,
        hours_east=1,
        countries=dict(NO=70, SE=14, DK=10, IS=6),
        shipping=7900,
        free_from=120000,
        carrier="Nordpost",
        tracking="NP{n:010d}NO",
        merchants=(
            DemoMerchant(
                "fjell-traad",
                "Fjell & Tråd",
                (
                    ("FT-GEN-S", "Ullgenser «Sætre», S", 129900),
                    ("FT-GEN-M", "Ullgenser «Sætre», M", 129900),
                    ("FT-VOT", "Votter med stjerne", 39900),
                    ("FT-LUE", "Lue i lammeull", 34900),
                    ("FT-SKJ", "Skjerf, håndvevd", 59900),
                ),
            ),
            DemoMerchant(
                "nordlys-lys",
                "Nordlys Lys",
                (
                    ("NL-LYS-4", "Adventslys, fire stk.", 14900),
                    ("NL-LYKT", "Stormlykt, messing", 69900),
                    ("NL-FYR", "Fyrstikker, lange", 7900),
                ),
            ),
            DemoMerchant(
                "bakgaarden",
                "Bakgården Kaffe",
                (
                    ("BK-ETI-250", "Kaffe, Etiopia 250 g", 15900),
                    ("BK-KEN-250", "Kaffe, Kenya 250 g", 16900),
                    ("BK-FILT", "Filter, 100 stk.", 5900),
                    ("BK-KVERN", "Håndkvern", 89900),
                ),
            ),
        ),
    ),
    DemoStore(
        code="berlin",
        name="Kiezladen",
        currency="EUR",
        number_prefix="BER-",
        scopes=("partial_capture",),
        weight=24,
        hours_east=1,
        countries=dict(DE=58, AT=14, PL=8, TR=7, BG=5, FR=5, DK=3),
        shipping=490,
        free_from=6000,
        carrier="Kurier Eins",
        tracking="KE{n:012d}",
        merchants=(
            DemoMerchant(
                "kiezladen",
                "Kiezladen",
                (
                    ("KL-TAS-BL", "Stofftasche, blau", 1990),
                    ("KL-TAS-RT", "Stofftasche, rot", 1990),
                    ("KL-POST-10", "Postkarten «Hinterhöfe», zehn Stück", 1250),
                    ("KL-BECH", "Emaillebecher", 1490),
                    ("KL-PLAK-50", "Plakat 50 × 70, «Spree»", 3500),
                ),
            ),
            DemoMerchant(
                "radwerk",
                "Radwerk Süd",
                (
                    ("RW-KETTE", "Fahrradkette, 8-fach", 1890),
                    ("RW-LICHT", "Rücklicht «Glühwürmchen»", 2790),
                    ("RW-SATTEL", "Ledersattel, geöst", 11900),
                    ("RW-KLINGEL", "Klingel, Messing", 2450),
                    ("RW-SCHLAUCH", "Schlauch 28″", 790),
                ),
            ),
            DemoMerchant(
                "gewuerzkammer",
                "Gewürzkammer Öztürk",
                (
                    ("GK-SUM", "Sumach, 80 g", 490),
                    ("GK-PUL", "Pul Biber, 100 g", 520),
                    ("GK-SAF", "Safran, 1 g", 1290),
                    ("GK-SET", "Gewürzset «Çarşı», sechs Gläser", 3290),
                ),
            ),
            DemoMerchant(
                "blattwerk",
                "Blattwerk Pflanzen",
                (
                    ("BW-MON", "Monstera, 40 cm", 2990),
                    ("BW-KAK", "Kaktus, klein", 690),
                    ("BW-TOPF", "Terrakottatopf, 18 cm", 1190),
                ),
            ),
        ),
    ),
    DemoStore(
        code="tokyo",
        name="浅草日和",
        currency="JPY",
        number_prefix="TYO-",
        scopes=("partial_capture",),
        weight=16,
        hours_east=9,
        countries=dict(JP=72, CN=9, KR=9, TH=5, VN=5),
        shipping=660,
        free_from=11000,
        carrier="はやて便",
        tracking="HY{n:011d}",
        merchants=(
            DemoMerchant(
                "tokoname",
                "常滑陶苑",
                (
                    ("TK-KYU-02", "急須 朱泥 二号", 8800),
                    ("TK-YUN-5", "湯呑 五客揃", 6600),
                    ("TK-HAN", "飯碗 粉引", 3300),
                ),
            ),
            DemoMerchant(
                "uji-chaho",
                "宇治茶舗",
                (
                    ("UJ-SEN-100", "煎茶 100g", 1296),
                    ("UJ-MAT-30", "抹茶「翠」30g", 2160),
                    ("UJ-HOJ-200", "ほうじ茶 200g", 864),
                    ("UJ-CHASEN", "茶筅 百本立", 3850),
                ),
            ),
            DemoMerchant(
                "asakusa-bungu",
                "浅草文具",
                (
                    ("AS-FUDE", "筆ペン 三本組", 990),
                    ("AS-WASHI", "和紙便箋「波」", 770),
                    ("AS-TENU", "手ぬぐい「朝顔」", 1430),
                    ("AS-FURO", "風呂敷 90cm", 2750),
                ),
            ),
        ),
    ),
    DemoStore(
        code="kuwait",
        name="سوق الفجر",
        currency="KWD",
        number_prefix="KWT-",
        weight=10,
        hours_east=3,
        countries=dict(KW=72, AE=18, IN=10),
        shipping=1500,
        free_from=20000,
        carrier="Gulf Parcel",
        tracking="GP{n:010d}KW",
        merchants=(
            DemoMerchant(
                "dar-aloud",
                "دار العود",
                (
                    ("DO-OUD-12", "دهن عود كمبودي ١٢ مل", 28500),
                    ("DO-BKH", "بخور معمول", 6750),
                    ("DO-MBK", "مبخرة نحاسية", 11250),
                ),
            ),
            DemoMerchant(
                "tumoor",
                "تمور الواحة",
                (
                    ("TM-SKR-1", "تمر سكري ١ كغ", 3250),
                    ("TM-KHL-1", "تمر خلاص ١ كغ", 2875),
                    ("TM-BOX", "علبة ضيافة فاخرة", 9500),
                ),
            ),
            DemoMerchant(
                "sadu",
                "بيت السدو",
                (
                    ("SD-CUSH", "وسادة سدو", 12125),
                    ("SD-BAG", "حقيبة سدو يدوية", 17750),
                    ("SD-RUG-S", "سجادة سدو صغيرة", 42500),
                ),
            ),
        ),
    ),
)
