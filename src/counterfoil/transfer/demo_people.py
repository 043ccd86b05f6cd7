"""Who buys in the demo: invented people in many scripts, with addresses that look like home.

A name is written as `native/latin` where the two differ; the Latin one makes the e-mail, always at
a domain that nobody can own. Streets hold `{n}` for a number.
"""

from __future__ import annotations

from random import Random
from typing import Any, Final

from msgspec import Struct


class Folk(Struct, frozen=True, kw_only=True):
    """People of one country: names, streets and (city, postal code, region)."""

    dial: str
    given: str
    family: str
    streets: tuple[str, ...]
    cities: tuple[tuple[str, str, str | None], ...]


FOLK: Final[dict[str, Folk]] = {
    "NO": Folk(
        dial="+47",
        given="Kari Ola Ingrid Sindre Åse/aase Bjørn/bjorn Maren Øyvind/oyvind",
        family="Nordmann Østby/ostby Haugen Lie Bråten/braaten Solheim Vik Sætre/saetre",
        streets=("Storgata {n}", "Kongens gate {n}", "Fjordveien {n}", "Bjørkealléen {n}B"),
        cities=(
            ("Oslo", "0155", None),
            ("Bergen", "5003", None),
            ("Tromsø", "9008", None),
            ("Ålesund", "6002", None),
        ),
    ),
    "SE": Folk(
        dial="+46",
        given="Astrid Nils Märta/marta Göran/goran Elsa Åke/ake Linnéa/linnea Gustav",
        family="Andersson Öberg/oberg Lindqvist Sjöström/sjostrom Ek Åkesson/akesson Berg",
        streets=("Drottninggatan {n}", "Ängsvägen {n}", "Hamngatan {n}"),
        cities=(("Göteborg", "411 14", None), ("Malmö", "211 22", None), ("Umeå", "903 26", None)),
    ),
    "DK": Folk(
        dial="+45",
        given="Freja Søren/soren Anne-Marie Jørgen/jorgen Signe Rasmus Bolette",
        family="Jensen Sørensen/sorensen Kjær/kjaer Nygaard Bøgh/bogh Holm",
        streets=("Nørregade {n}", "Strandvejen {n}", "Ærøvej {n}"),
        cities=(("København K", "1165", None), ("Aarhus", "8000", None), ("Rønne", "3700", None)),
    ),
    "IS": Folk(
        dial="+354",
        given="Guðrún/gudrun Þór/thor Sigríður/sigridur Jón/jon Björk/bjork",
        family="Jónsdóttir/jonsdottir Þórsson/thorsson Ævarsson/aevarsson Guðmundsdóttir/gudm",
        streets=("Laugavegur {n}", "Ránargata {n}"),
        cities=(("Reykjavík", "101", None), ("Akureyri", "600", None)),
    ),
    "DE": Folk(
        dial="+49",
        given="Jürgen/juergen Sophie Karl-Heinz Zeynep Jörg/joerg Annika Mert Käthe/kaethe",
        family="Weiß/weiss Müller/mueller Schröder/schroeder Yılmaz/yilmaz Groß/gross Vogel Kunz",
        streets=("Lindenallee {n}", "Königstraße {n}", "Am Mühlbach {n}", "Große Gasse {n}"),
        cities=(
            ("Berlin", "10115", None),
            ("München", "80331", None),
            ("Köln", "50667", None),
            ("Görlitz", "02826", None),
        ),
    ),
    "AT": Folk(
        dial="+43",
        given="Leopold Resi Xaver Bärbel/baerbel Franz Liesl",
        family="Huber Österreicher/oesterreicher Gruber Pichler Aigner",
        streets=("Mariahilfer Straße {n}", "Getreidegasse {n}"),
        cities=(("Wien", "1060", None), ("Salzburg", "5020", None)),
    ),
    "PL": Folk(
        dial="+48",
        given="Łukasz/lukasz Małgorzata/malgorzata Zofia Wojciech Agnieszka Stanisław/stanislaw",
        family="Wójcik/wojcik Kowalska Żak/zak Dąbrowski/dabrowski Ślusarz/slusarz Nowak",
        streets=("ul. Długa {n}", "ul. Świętojańska {n}/4", "al. Róż {n}"),
        cities=(("Łódź", "90-001", None), ("Kraków", "30-001", None), ("Gdańsk", "80-001", None)),
    ),
    "FR": Folk(
        dial="+33",
        given="Élodie/elodie François/francois Zoé/zoe Jean-Noël/jean-noel Aïcha/aicha",
        family="Lefèvre/lefevre Garçon/garcon Dupont d'Aubigné/daubigne Nguyễn/nguyen",
        streets=("{n} rue de l’Église", "{n} boulevard Voltaire", "{n} bis, allée des Tilleuls"),
        cities=(("Paris", "75011", None), ("Nîmes", "30000", None), ("Brest", "29200", None)),
    ),
    "ES": Folk(
        dial="+34",
        given="Íñigo/inigo María/maria Núria/nuria José/jose Begoña/begona Xosé/xose",
        family="Muñoz/munoz García/garcia Ibáñez/ibanez Peña/pena Llull Etxeberria",
        streets=("Calle Mayor, {n}, 2.º", "Carrer de Sants, {n}", "Rúa do Vilar, {n}"),
        cities=(("Madrid", "28013", "M"), ("Barcelona", "08014", "B"), ("A Coruña", "15003", "C")),
    ),
    "GR": Folk(
        dial="+30",
        given="Ελένη/eleni Γιώργος/giorgos Δήμητρα/dimitra Νίκος/nikos Άννα/anna",
        family="Παπαδοπούλου/papadopoulou Γεωργίου/georgiou Ιωαννίδης/ioannidis Ζαχαρίας/zacharias",
        streets=("Οδός Ερμού {n}", "Λεωφόρος Συγγρού {n}"),
        cities=(("Αθήνα", "105 63", None), ("Θεσσαλονίκη", "546 24", None)),
    ),
    "UA": Folk(
        dial="+380",
        given="Оксана/oksana Тарас/taras Соломія/solomiia Юрій/yurii Ївга/yivha",
        family="Шевченко/shevchenko Коваленко/kovalenko Ґжицький/gzhytskyi Щербак/shcherbak",
        streets=("вул. Хрещатик, {n}", "просп. Свободи, {n}, кв. 7"),
        cities=(("Київ", "01001", None), ("Львів", "79000", None)),
    ),
    "BG": Folk(
        dial="+359",
        given="Иванка/ivanka Георги/georgi Цветелина/tsvetelina Стоян/stoyan",
        family="Димитрова/dimitrova Петров/petrov Желязкова/zhelyazkova Ангелов/angelov",
        streets=("ул. Граф Игнатиев {n}", "бул. Витоша {n}"),
        cities=(("София", "1000", None), ("Пловдив", "4000", None)),
    ),
    "TR": Folk(
        dial="+90",
        given="Ayşe/ayse İbrahim/ibrahim Gülşen/gulsen Çağla/cagla Uğur/ugur",
        family="Yıldız/yildiz Öztürk/ozturk Çelik/celik Işık/isik Şahin/sahin",
        streets=("İstiklal Caddesi No:{n}", "Çınarlı Sokak No:{n}/3"),
        cities=(("İstanbul", "34433", None), ("İzmir", "35210", None)),
    ),
    "GB": Folk(
        dial="+44",
        given="Siân/sian Alasdair Priya Gareth Niamh Tom Wren",
        family="MacLeod Ap-Rhys Featherstone Patel O’Connor/oconnor Smith-Jones Ng",
        streets=("{n} Mill Lane", "Flat 2, {n} Queen’s Crescent", "{n} Heol y Bont"),
        cities=(
            ("London", "E8 3PN", None),
            ("Caerdydd", "CF10 1AA", None),
            ("Leith", "EH6 6AA", None),
        ),
    ),
    "US": Folk(
        dial="+1",
        given="Avery Jesús/jesus DeShawn Mary-Kate Noa Sam Keoni",
        family="O’Neil/oneil García-López/garcia-lopez Washington Kahananui Miller Li",
        streets=("{n} Example Ave", "{n} SW 12th St, Apt 4", "PO Box {n}"),
        cities=(("Portland", "97205", "OR"), ("Santa Fe", "87501", "NM"), ("Hilo", "96720", "HI")),
    ),
    "BR": Folk(
        dial="+55",
        given="João/joao Conceição/conceicao Antônia/antonia Caetano",
        family="Araújo/araujo Gonçalves/goncalves Brandão/brandao dos-Santos",
        streets=("Rua das Flores, {n}", "Avenida São João, {n}, ap. 31"),
        cities=(("São Paulo", "01035-000", "SP"), ("Belém", "66010-000", "PA")),
    ),
    "JP": Folk(
        dial="+81",
        given="花子/hanako 太郎/taro さくら/sakura 健一/kenichi 陽菜/hina 翔太/shota 美咲/misaki",
        family="山田/yamada 佐藤/sato 髙橋/takahashi 渡邉/watanabe 五十嵐/igarashi 小林/kobayashi",
        streets=("神宮前{n}-2-3", "北一条西{n}丁目", "祇園町{n}番地 メゾン鴨川 501"),
        cities=(
            ("渋谷区", "150-0001", "東京都"),
            ("札幌市中央区", "060-0001", "北海道"),
            ("京都市東山区", "605-0073", "京都府"),
        ),
    ),
    "CN": Folk(
        dial="+86",
        given="伟/wei 秀英/xiuying 静/jing 浩然/haoran 梓涵/zihan",
        family="王/wang 李/li 张/zhang 欧阳/ouyang 陈/chen",
        streets=("南京东路{n}号", "解放路{n}号3单元502室"),
        cities=(("上海市", "200001", "上海"), ("成都市", "610000", "四川")),
    ),
    "KR": Folk(
        dial="+82",
        given="서연/seoyeon 민준/minjun 지우/jiwoo 하은/haeun",
        family="김/kim 이/lee 박/park 최/choi 남궁/namgung",
        streets=("세종대로 {n}", "해운대로 {n}번길 12"),
        cities=(("서울특별시 종로구", "03154", None), ("부산광역시 해운대구", "48094", None)),
    ),
    "VN": Folk(
        dial="+84",
        given="Thị-Hồng/thihong Văn-Đức/vanduc Ngọc-Ánh/ngocanh Quốc-Bảo/quocbao",
        family="Nguyễn/nguyen Trần/tran Phạm/pham Đặng/dang Hoàng/hoang",
        streets=("{n} Lê Lợi", "Ngõ {n} phố Huế"),
        cities=(("Thành phố Hồ Chí Minh", "700000", None), ("Hà Nội", "100000", None)),
    ),
    "TH": Folk(
        dial="+66",
        given="สมชาย/somchai มาลี/malee กานดา/kanda ณัฐพล/natthaphon",
        family="ใจดี/jaidee ศรีสุข/srisuk ทองคำ/thongkham",
        streets=("{n} ถนนสุขุมวิท",),
        cities=(("กรุงเทพมหานคร", "10110", None), ("เชียงใหม่", "50000", None)),
    ),
    "IN": Folk(
        dial="+91",
        given="प्रिया/priya अर्जुन/arjun सुनीता/sunita கவிதா/kavitha রবীন্দ্র/rabindra",
        family="शर्मा/sharma पटेल/patel சுப்பிரமணியம்/subramaniam মুখার্জী/mukherjee सिंह/singh",
        streets=("{n}, महात्मा गांधी मार्ग", "{n}/A, அண்ணா சாலை", "{n} Park Street"),
        cities=(
            ("नई दिल्ली", "110001", "DL"),
            ("சென்னை", "600002", "TN"),
            ("কলকাতা", "700016", "WB"),
        ),
    ),
    "KW": Folk(
        dial="+965",
        given="نورة/noura عبدالله/abdullah مريم/maryam يوسف/yousef دانة/dana فهد/fahad",
        family="الصباح/alsabah العنزي/alenezi الخالد/alkhaled بورسلي/boresli المطيري/almutairi",
        streets=("شارع سالم المبارك، قطعة {n}", "شارع الخليج العربي {n}"),
        cities=(
            ("السالمية", "22001", None),
            ("مدينة الكويت", "13001", None),
            ("الجهراء", "00001", None),
        ),
    ),
    "AE": Folk(
        dial="+971",
        given="فاطمة/fatima خالد/khaled شيخة/sheikha سلطان/sultan",
        family="المنصوري/almansoori الشامسي/alshamsi النعيمي/alnuaimi",
        streets=("شارع الشيخ زايد، برج {n}",),
        cities=(("دبي", "00000", None), ("أبوظبي", "00000", None)),
    ),
    "IL": Folk(
        dial="+972",
        given="נועה/noa אורי/uri תמר/tamar יעקב/yaakov",
        family="לוי/levi כהן/cohen בן-דוד/bendavid",
        streets=("רחוב הרצל {n}",),
        cities=(("תל אביב", "6688218", None), ("חיפה", "3303501", None)),
    ),
}
"""People by country code."""

_FAMILY_FIRST: Final = frozenset({"JP", "CN", "KR"})
_DOMAINS: Final = ("example.com", "example.org", "example.net")


def _both(pair: str) -> tuple[str, str]:
    native, _, latin = pair.partition("/")
    return native, (latin or native).lower()


def person(rng: Random, country: str) -> dict[str, Any]:
    """Invent somebody: {customer, address}, both as the API takes them."""
    folk = FOLK[country]
    given, given_latin = _both(rng.choice(folk.given.split()))
    family, family_latin = _both(rng.choice(folk.family.split()))
    city, postal_code, region = rng.choice(folk.cities)
    mark = rng.choice(("", "", "", str(rng.randrange(60, 100))))
    name = f"{family} {given}" if country in _FAMILY_FIRST else f"{given} {family}"
    address: dict[str, Any] = {
        "name": name,
        "line1": rng.choice(folk.streets).format(n=rng.randrange(1, 120)),
        "city": city,
        "postal_code": postal_code,
        "country": country,
    }
    if region is not None:
        address["region"] = region
    return {
        "customer": {
            "email": f"{given_latin}.{family_latin}{mark}@{rng.choice(_DOMAINS)}",
            "first_name": given,
            "last_name": family,
            "phone": f"{folk.dial}{rng.randrange(10**8, 10**9)}",
        },
        "address": address,
    }
