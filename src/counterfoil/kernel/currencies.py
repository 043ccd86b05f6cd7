"""The currencies of ISO 4217 and how many digits their minor unit has.

`EXPONENTS` maps a code to its exponent: JPY 0, EUR 2, KWD 3, CLF 4. The first table holds what
is in use since 1 January 2026 (list one of the standard; metals, bond units and test codes have
no minor unit and are left out); the second holds codes withdrawn since 2011, because an imported
order keeps the currency it was paid in. A provider that counts otherwise (Adyen's CLP, Stripe's
zero-ending thousandths) converts in its own adapter. [H-6]
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

_IN_USE: Final = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD
    CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP
    GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK
    LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO
    NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS
    SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST
    XAD XCD XCG YER ZAR ZMW ZWG
    """,
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}

_WITHDRAWN: Final = {
    0: "BYR",
    2: "ANG BGN CUC EEK HRK LTL LVL MRO SLL STD VEF ZMK ZWL",
}

EXPONENTS: Final = MappingProxyType(
    {
        code: digits
        for table in (_IN_USE, _WITHDRAWN)
        for digits, codes in table.items()
        for code in codes.split()
    }
)
